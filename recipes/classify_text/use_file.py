"""The commands that use an exported text classifier: print classes, make a page.

The work is done by `kerasseq.lite.TextClassifier`, without TensorFlow and Keras.
"""

from kerasseq import lite
from recipes.shared import command_line, exported_file, file_input, web_page

NUM_SHOWN = 5
HONORED = ("classify", "web", "web_library")


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags, "use")
    define("string", "classify", None, "Only classify: a text, or - for stdin.")


def use_file(flags):
    """Classifies with an exported file; with `--web` it makes its page.

    A page offers the first texts of `--classify` to try.

    Args:
        flags: Flags `classify`, `from`, `output_dir`, `web` and `web_library`.

    Raises:
        ValueError: for a flag that a file does not honor, or a text without words; the
            message names the line of standard input.
    """
    exported_file.check_flags(flags, HONORED)
    web_page.check(flags)
    model = exported_file.find(flags, "classify_text")
    classifier = lite.TextClassifier(model)
    shown = []
    if flags.classify is not None or not flags.web:
        shown = print_classes(flags, classifier)
    if flags.web:
        web_page.add_to_earlier(flags, "classify_text", model, shown)


def print_classes(flags, classifier):
    """Prints class and probability of a text, or of each line of standard input.

    An empty line stays an empty line.

    Returns:
        The first texts.
    """
    if flags.classify not in (None, "-"):
        _print(classifier, flags.classify)
        return [flags.classify]
    return file_input.use_lines(
        lambda text: _print(classifier, text), web_page.NUM_SAMPLES
    )


def _print(classifier, text):
    name, probability = classifier.classify(text)
    print(f"{name}\t{probability:.4f}", flush=True)


def print_samples(folder, texts):
    """Prints classes that the exported file of a run gives.

    Args:
        folder: Folder with `model.tflite`.
        texts: A `kerasseq.data.LabeledTexts`.
    """
    classifier = lite.TextClassifier(folder)
    print("\nClassified with model.tflite alone:")
    for text, label in list(zip(*texts.test, strict=True))[:NUM_SHOWN]:
        name, probability = classifier.classify(text)
        truth = texts.class_names[label]
        print(f"  {name} {probability:.2f} (truly {truth}): {text[:90]}")
