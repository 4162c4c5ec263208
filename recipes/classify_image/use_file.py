"""The commands that use an exported image classifier: print classes, make a page.

The work is done by `kerasseq.lite.ImageClassifier`, without TensorFlow and Keras.
"""

import csv

from kerasseq import lite
from kerasseq.utils import atomic
from recipes.shared import exported_file, file_input, web_page


def use_file(flags):
    """Classifies `--images` with an exported file, or with `--web` makes its page."""
    if flags.web:
        web_page.add_for_images(flags, "classify_image", lite.ImageClassifier)
    else:
        write_predictions(flags)


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
        rows.append((str(path), name, f"{probability:.4f}"))
        print("\t".join(rows[-1]), flush=True)
    output = file_input.output_folder(flags, model) / "predictions.csv"
    with atomic.replace_file(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("image", "class", "probability"), *rows])
    print(f"Written to {output}")
