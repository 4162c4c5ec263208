"""The commands that use an exported segmenter: write masks, make a page.

The work is done by `kerasseq.lite.ImageSegmenter`, without TensorFlow and Keras.
"""

import numpy as np

from kerasseq import lite
from kerasseq.utils import atomic
from recipes.segment import heads as segment_heads
from recipes.shared import command_line, exported_file, file_input, masks, web_page

HONORED = ("images", "overlap", "web", "web_library")


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    text = "Overlap of neighboring tiles of a large image, a fraction of their sides."
    bounds = {"lower_bound": 0.0, "upper_bound": 0.9}
    command_line.definer(flags, "use")("float", "overlap", 0.5, text, **bounds)


def use_file(flags):
    """Segments `--images` with an exported file; with `--web` it makes its page.

    Raises:
        ValueError: for a flag that a file does not honor, and what cannot be read.
    """
    exported_file.check_flags(flags, HONORED)
    web_page.check(flags)
    if flags.images is not None or not flags.web:
        write_predictions(flags)
    if flags.web:
        web_page.add_for_images(flags, "segment", lite.ImageSegmenter)


def write_predictions(flags):
    """Segments an image or a folder of them, and writes masks and overlays.

    Args:
        flags: Flags `images`, `from`, `overlap` and `output_dir`.

    Raises:
        ValueError: if there are no images, or one cannot be read; then nothing is
            written.
    """
    model = exported_file.find(flags, "segment")
    segmenter = lite.ImageSegmenter(model, flags.overlap)
    paths = file_input.image_files(flags.images)
    _check_names(paths)
    output = file_input.output_folder(flags, model, "predictions")
    with atomic.staging(output) as folder:
        for path in paths:
            image = segmenter.read(path)
            outputs = segmenter(image)
            _write(folder, path.stem, image, outputs, segmenter.class_names)
            found = _summary(outputs, segmenter.class_names)
            print(f"{file_input.shown(path)}\t{found}", flush=True)
        atomic.move_into(folder, output, sorted(x.name for x in folder.iterdir()))
    print(f"Written to {output}/")


def _check_names(paths):
    stems = [path.stem for path in paths]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise ValueError(
            "Results are named after the images, and some have the same name: "
            f"{', '.join(twice[:5])}. Rename them, or do one folder at a time."
        )


def _write(folder, stem, image, outputs, class_names):
    from PIL import Image

    for head, output in outputs.items():
        if head in segment_heads.CLASS_HEADS:
            masks.save_mask(folder / f"{stem}_{head}.png", output)
        elif head == "reconstruction":
            picture = masks.rgb(127.5 * (output + 1))
            Image.fromarray(picture).save(folder / f"{stem}_{head}.png")
        else:
            np.save(folder / f"{stem}_{head}.npy", output)
    if "mask" in outputs:
        overlay = masks.mask_overlay(image, outputs["mask"], len(class_names))
        Image.fromarray(overlay).save(folder / f"{stem}_overlay.png")


def _summary(outputs, class_names):
    """Which fraction of the image is of each class but the first."""
    if "mask" not in outputs:
        return ", ".join(outputs)
    counts = np.bincount(outputs["mask"].ravel(), minlength=len(class_names))
    fractions = counts / outputs["mask"].size
    named = list(zip(class_names, fractions, strict=True))[1:]
    return ", ".join(f"{name} {fraction:.1%}" for name, fraction in named if fraction)
