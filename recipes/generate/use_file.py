"""What a phone does with an exported language model, in Python.

Needs `ai_edge_litert` and NumPy; neither TensorFlow nor Keras.
`recipes.generate --prompt` is the command for it.
"""

import pathlib

import numpy as np

from kerasseq import data, lite
from recipes.shared import command_line

PADDING = -1


def define_flags(flags):
    """Adds the flags of sampling and of the use of an exported file."""
    define = command_line.definer(flags)
    text = "Tokens of a prompt that the file takes at most."
    define("integer", "prompt_length", 64, text, lower_bound=1)
    text = "Tokens that the file writes, the prompt included."
    define("integer", "max_length", 256, text, lower_bound=2)
    text = "Below 1, likely tokens become likelier."
    define("float", "temperature", 0.8, text)
    define("integer", "top_k", None, "Draw out of so many tokens only.")
    define("float", "top_p", None, "Draw out of tokens of so much probability.")
    text = "Above 1, what occurs becomes less likely."
    define("float", "repetition_penalty", 1.0, text)
    text = "Length of sequences that must not come twice; 0: any may."
    define("integer", "no_repeat_ngram", 0, text)
    define("string", "prompt", None, "Only write: go on with this text.")
    define("integer", "count", 1, "Texts to write.", lower_bound=1)
    define("string", "from", None, "Folder of the exported model to write with.")


def sampling_options(flags):
    """The options of `kerasseq.decoding.sample` that were asked for."""
    names = ("temperature", "top_k", "top_p", "repetition_penalty", "no_repeat_ngram")
    return {name: flags[name].value for name in names}


def padded(ids, length):
    """Ids with padding on the right, int32 `(length,)`."""
    row = np.full(length, PADDING, "int32")
    row[: len(ids)] = ids
    return row


def load_vocabulary(folder):
    """The characters or subwords of an exported model.

    Raises:
        ValueError: if the file is missing or damaged.
    """
    kinds = (data.LosslessSubwords, data.Characters)
    found = [kind for kind in kinds if (folder / kind.file_name).exists()]
    kind = found[0] if found else data.Characters
    return kind.load(folder / kind.file_name)


class FileWriter:
    """Writes text with an exported file, without TensorFlow.

    Args:
        folder: Folder with `model.tflite`, and `characters.json` or `subwords.model`.

    Raises:
        ValueError: if a file is missing or damaged.
    """

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.runner = lite.Runner(folder / "model.tflite")
        self.vocabulary = load_vocabulary(folder)
        inputs = self.runner.signatures["generate"]["inputs"]
        self.length = inputs["prompt"][0][1]

    def __call__(self, prompt, seed=0):
        """Goes on with a prompt; returns the whole text.

        Raises:
            ValueError: for a prompt that is empty, too long, or has characters that
                the model does not know.
        """
        ids = self.vocabulary.encode(prompt)
        if not 1 <= len(ids) <= self.length:
            unit = self.vocabulary.unit
            raise ValueError(
                f"The prompt must have 1 to {self.length} {unit}s; shorten it, or "
                "export with a larger --prompt_length. Received: "
                f"{len(ids)} {unit}s"
            )
        ids = padded(ids, self.length)
        seed = np.array([seed], "int32")
        tokens = self.runner.run("generate", prompt=ids[None], seed=seed)["tokens"]
        return self.vocabulary.decode(tokens[0])


def write_with_file(flags):
    """Goes on with the prompt and prints the texts, of seeds from `--seed` on."""
    if flags.prompt is None:
        raise ValueError("Give a text to go on with: --prompt 'Once upon a time'.")
    writer = FileWriter(flags["from"].value or flags.output_dir)
    for index in range(flags.count):
        print(writer(flags.prompt, flags.seed + index), flush=True)
        if flags.count > 1:
            print("---", flush=True)
