"""What a phone does with an exported translator, in Python.

Needs `ai_edge_litert`, NumPy and the SentencePiece model; neither TensorFlow nor
Keras. `recipes.translate --translate` is the command for it.
"""

import json
import pathlib
import sys

import numpy as np

from kerasseq import lite
from recipes.shared import web_page


class FileTranslator:
    """Translates with an exported file and its vocabulary, without TensorFlow.

    Args:
        folder: Folder with `model.tflite`, `subwords.model` and `vocabulary.json`.

    Raises:
        ValueError: if a file is missing or damaged.
    """

    def __init__(self, folder):
        import sentencepiece

        folder = pathlib.Path(folder)
        self.runner = lite.Runner(folder / "model.tflite")
        self.vocabulary = _read_json(folder / "vocabulary.json")
        model = folder / "subwords.model"
        try:
            self.subwords = sentencepiece.SentencePieceProcessor(
                model_proto=model.read_bytes()
            )
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{model} is missing or no SentencePiece model. Export again."
            ) from error
        inputs = self.runner.signatures["beam"]["inputs"]
        self.length = inputs["source"][0][1]

    def __call__(self, sentence, nbest=1):
        """Returns the `nbest` best translations, a list of `(text, score)`.

        Raises:
            ValueError: if the sentence is empty or too long for the file.
        """
        ids = self.subwords.encode(
            sentence.lower() if self.vocabulary["lowercase"] else sentence
        )
        if not ids:
            raise ValueError("The sentence is empty. Give some text to translate.")
        if len(ids) >= self.length:
            raise ValueError(
                f"The sentence has {len(ids)} subwords, the file takes at most "
                f"{self.length - 1}. Split it, or export with a larger --max_length. "
                f"Received: {sentence!r}"
            )
        source = np.zeros((1, self.length), "int32")
        source[0, : len(ids) + 1] = [*ids, self.vocabulary["end"]]
        outputs = self.runner.run("beam", source=source)
        best = zip(outputs["tokens"][0], outputs["scores"][0], strict=True)
        return [(self._text(ids), float(score)) for ids, score in best][:nbest]

    def _text(self, ids):
        ids = ids.tolist()
        end = self.vocabulary["end"]
        ids = ids[: ids.index(end)] if end in ids else ids
        return self.subwords.decode(ids) if ids else ""


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is missing or damaged. Export again.") from error


def use_file(flags):
    """Translates with an exported file, or with `--web` makes its page."""
    (make_page if flags.web else translate_with_file)(flags)


def translate_with_file(flags):
    """Translates a sentence, or the lines of standard input, and prints the result."""
    translator = FileTranslator(flags["from"].value or flags.output_dir)
    given = flags.translate
    sentences = sys.stdin if given in (None, "-") else [given]
    for number, sentence in enumerate(sentences, 1):
        try:
            found = translator(sentence.strip(), flags.nbest)
        except ValueError as error:
            where = f"line {number}: " if sentences is sys.stdin else ""
            raise ValueError(f"{where}{error}") from error
        for text, score in found:
            print(f"{score:.4f}\t{text}" if flags.nbest > 1 else text, flush=True)


def make_page(flags):
    """Writes the page that translates in a browser, `--translate` being its samples.

    Args:
        flags: Flags `translate`, `from`, `output_dir`, `web` and `web_library`.
    """
    source = flags["from"].value or flags.output_dir
    FileTranslator(source)  # tells what is missing or damaged
    given = flags.translate
    lines = sys.stdin if given == "-" else [given or ""]
    samples = [line.strip() for line in lines if line.strip()]
    web_page.add_to_earlier(flags, "translate", source, samples)
