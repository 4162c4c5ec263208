"""What a phone does with an exported image classifier, in Python.

Needs `ai_edge_litert`, NumPy and Pillow; neither TensorFlow nor Keras.
`recipes.classify_image --images` is the command for it.
"""

import csv
import pathlib

from kerasseq import data, lite
from kerasseq.utils import atomic
from recipes.shared import file_input, web_page


class FileClassifier:
    """Classifies images with an exported file and its labels, without TensorFlow.

    Args:
        path: Folder with `model.tflite` and `labels.json`, or one of the `.tflite`
            files in it.

    Raises:
        ValueError: if a file is missing or damaged, or the two do not belong together.
    """

    def __init__(self, path):
        path = pathlib.Path(path)
        path = path if path.suffix == ".tflite" else path / "model.tflite"
        self.runner = lite.Runner(path)
        self.class_names = file_input.read_labels(path.with_name("labels.json"))
        try:
            signature = self.runner.signatures["serve"]
            (_, *self.input_shape), dtype = signature["inputs"]["image"]
            num_classes = signature["outputs"]["probabilities"][0][-1]
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{path} is no image classifier of this recipe. Received: "
                f"signatures={self.runner.signatures}"
            ) from error
        if num_classes != len(self.class_names) or dtype != "uint8":
            raise ValueError(
                f"{path} has {num_classes} classes of {dtype} images and labels.json "
                f"{len(self.class_names)}: they are of different models. Export again."
            )

    def __call__(self, image):
        """Returns the probabilities of the classes.

        Args:
            image: uint8 array of the shape `input_shape`: height, width, channels.
        """
        return self.runner.run("serve", image=image[None])["probabilities"][0]

    def read(self, path):
        """Reads an image file as the exported file takes it."""
        *size, num_channels = self.input_shape
        return data.read_image(path, size=size, num_channels=num_channels)

    def classify(self, path):
        """Returns `(class name, probability)` of an image file."""
        probabilities = self(self.read(path))
        best = probabilities.argmax()
        return self.class_names[best], float(probabilities[best])


def use_file(flags):
    """Classifies `--images` with an exported file, or with `--web` makes its page."""
    if flags.web:
        web_page.add_for_images(flags, "classify_image", FileClassifier)
    else:
        classify_with_file(flags)


def classify_with_file(flags):
    """Classifies an image or a folder of them, prints and writes `predictions.csv`.

    Args:
        flags: Flags `images`, `from` and `output_dir`.

    Raises:
        ValueError: if there are no images, or one cannot be read; then nothing is
            written.
    """
    source = flags["from"].value or flags.output_dir
    classifier = FileClassifier(source)
    rows = []
    for path in file_input.image_files(flags.images):
        name, probability = classifier.classify(path)
        rows.append((str(path), name, f"{probability:.4f}"))
        print("\t".join(rows[-1]), flush=True)
    output = file_input.output_folder(flags, source) / "predictions.csv"
    with atomic.replace_file(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("image", "class", "probability"), *rows])
    print(f"Written to {output}")
