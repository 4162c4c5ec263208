"""The commands that use an exported captioner: print captions, make a page.

The work is done by `kerasseq.lite.Captioner`, without TensorFlow and Keras.
"""

import csv

from kerasseq import lite
from kerasseq.utils import atomic
from recipes.shared import command_line, exported_file, file_input, web_page

HONORED = ("images", "num_best", "web", "web_library")


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    file_input.define_flags(flags, "describe")
    define = command_line.definer(flags, "use")
    define("integer", "num_best", 1, "Captions per image.", **command_line.LAYERS)


def use_file(flags):
    """Describes `--images` with an exported file; with `--web` it makes its page.

    Raises:
        ValueError: for a flag that a file does not honor, and what cannot be read.
    """
    exported_file.check_flags(flags, HONORED)
    web_page.check(flags)
    if flags.images is not None or not flags.web:
        write_captions(flags)
    if flags.web:
        web_page.add_for_images(flags, "caption", lite.Captioner)


def write_captions(flags):
    """Describes an image or a folder of them, prints and writes `captions.csv`.

    Args:
        flags: Flags `images`, `num_best`, `from` and `output_dir`.

    Raises:
        ValueError: if there are no images, or one cannot be read; then nothing is
            written.
    """
    model = exported_file.find(flags, "caption")
    captioner = lite.Captioner(model)
    exported_file.tell_beams(flags, captioner.runner)
    rows = []
    for path in file_input.image_files(flags.images):
        for text, score in captioner(path, flags.num_best):
            rows.append((file_input.shown(path), text, f"{score:.4f}"))
            print("\t".join(rows[-1]), flush=True)
    output = file_input.output_folder(flags, model) / "captions.csv"
    with atomic.replace_file(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("image", "caption", "score"), *rows])
    print(f"Written to {output}")


def print_samples(folder, images, references):
    """Prints captions made with the exported file of a run.

    Args:
        folder: Folder with `model.tflite`.
        images: Some images.
        references: The right captions of each.
    """
    captioner = lite.Captioner(folder)
    print("\nDescribed with model.tflite alone:")
    for image, texts in zip(images, references, strict=True):
        print(f"  caption   {captioner(image)[0][0]}")
        print(f"  reference {texts[0]}")
