"""The commands that use an exported translator: print translations, make a page.

The work is done by `kerasseq.lite.Translator`, without TensorFlow and Keras.
"""

import sys

from kerasseq import lite
from recipes.shared import command_line, exported_file, web_page


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags)
    define("string", "translate", None, "Only translate: a sentence, or - for stdin.")
    define("integer", "num_best", 1, "Translations per sentence.", lower_bound=1)


def use_file(flags):
    """Translates with an exported file, or with `--web` makes its page."""
    (make_page if flags.web else print_translations)(flags)


def print_translations(flags):
    """Translates a sentence, or the lines of standard input, and prints the result.

    Args:
        flags: Flags `translate`, `num_best`, `from` and `output_dir`.

    Raises:
        ValueError: for a sentence that cannot be translated; the message names the
            line of standard input. An empty line there stays an empty line.
    """
    translator = lite.Translator(exported_file.find(flags, "translate"))
    if flags.translate not in (None, "-"):
        _print(translator, flags.translate, flags.num_best)
        return
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            print(flush=True)
            continue
        try:
            _print(translator, line.strip(), flags.num_best)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error


def _print(translator, sentence, num_best):
    for text, score in translator(sentence, num_best):
        print(f"{score:.4f}\t{text}" if num_best > 1 else text, flush=True)


def make_page(flags):
    """Writes the page that translates in a browser, `--translate` being its samples.

    Args:
        flags: Flags `translate`, `from`, `output_dir`, `web` and `web_library`.
    """
    model = exported_file.find(flags, "translate")
    lite.Translator(model)  # tells what is missing or damaged
    given = flags.translate
    lines = sys.stdin if given == "-" else [given or ""]
    samples = [line.strip() for line in lines if line.strip()]
    web_page.add_to_earlier(flags, "translate", model, samples)


def print_samples(folder, pairs):
    """Prints translations made with the exported file of a run.

    Args:
        folder: Folder with `model.tflite`.
        pairs: Sentences with their right translations.
    """
    translator = lite.Translator(folder)
    print("\nTranslated with model.tflite alone:")
    for source, target in pairs:
        print(f"  source      {source}")
        print(f"  translation {translator(source)[0][0]}")
        print(f"  reference   {target}")
