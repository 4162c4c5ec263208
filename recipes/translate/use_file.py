"""The commands that use an exported translator: print translations, make a page.

The work is done by `kerasseq.lite.Translator`, without TensorFlow and Keras.
"""

from kerasseq import lite
from recipes.shared import command_line, exported_file, file_input, web_page

HONORED = ("translate", "num_best", "web", "web_library")


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags, "use")
    define("string", "translate", None, "Only translate: a sentence, or - for stdin.")
    define(
        "integer", "num_best", 1, "Translations per sentence.", **command_line.LAYERS
    )


def use_file(flags):
    """Translates with an exported file; with `--web` it makes its page.

    A page offers the first sentences of `--translate` to try.

    Args:
        flags: Flags `translate`, `num_best`, `from`, `output_dir`, `web` and
            `web_library`.

    Raises:
        ValueError: for a flag that a file does not honor, or a sentence that cannot be
            translated; the message names the line of standard input.
    """
    exported_file.check_flags(flags, HONORED)
    web_page.check(flags)
    model = exported_file.find(flags, "translate")
    translator = lite.Translator(model)
    exported_file.tell_beams(flags, translator.runner)
    shown = []
    if flags.translate is not None or not flags.web:
        shown = print_translations(flags, translator)
    if flags.web:
        web_page.add_to_earlier(flags, "translate", model, shown)


def print_translations(flags, translator):
    """Translates a sentence, or the lines of standard input, and prints the result.

    An empty line stays an empty line.

    Returns:
        The first sentences.
    """
    if flags.translate not in (None, "-"):
        _print(translator, flags.translate, flags.num_best)
        return [flags.translate]
    return file_input.use_lines(
        lambda text: _print(translator, text, flags.num_best), web_page.NUM_SAMPLES
    )


def _print(translator, sentence, num_best):
    for text, score in translator(sentence, num_best):
        print(f"{score:.4f}\t{text}" if num_best > 1 else text, flush=True)


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
