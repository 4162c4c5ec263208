"""The commands that use an exported image classifier: print classes, make a page.

The work is done by `kerasseq.lite.ImageClassifier`, without TensorFlow and Keras.
"""

import csv

from kerasseq import lite
from kerasseq.utils import atomic
from recipes.shared import exported_file, file_input, web_page

HONORED = ("images", "web", "web_library")


def use_file(flags):
    """Classifies `--images` with an exported file; with `--web` it makes its page.

    Raises:
        ValueError: for a flag that a file does not honor, and what cannot be read.
    """
    exported_file.check_flags(flags, HONORED)
    web_page.check(flags)
    if flags.images is not None or not flags.web:
        write_predictions(flags)
    if flags.web:
        web_page.add_for_images(flags, "classify_image", lite.ImageClassifier)


def write_predictions(flags):
    """Classifies an image or a folder of them, prints and writes `predictions.csv`.

    Args:
        flags: Flags `images`, `from` and `output_dir`.

    Raises:
        ValueError: if there are no images, or one cannot be read; then nothing is
            written.
    """
    model = exported_file.find(flags, "classify_image")
    classifier = lite.ImageClassifier(model)
    rows = []
    for path in file_input.image_files(flags.images):
        name, probability = classifier.classify(path)
        rows.append((file_input.shown(path), name, f"{probability:.4f}"))
        print("\t".join(rows[-1]), flush=True)
    output = file_input.output_folder(flags, model) / "predictions.csv"
    with atomic.replace_file(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("image", "class", "probability"), *rows])
    print(f"Written to {output}")
