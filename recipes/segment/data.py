"""The batches of `recipes.segment`: images, and what each head learns of them."""

import functools

from recipes.segment import images as segment_images
from recipes.segment import model as segment_model
from recipes.shared import command_line, image_flags, training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("test_data", "images", "tta", "overlap", "quantize", "float_layers")


def define_flags(flags):
    """Adds the flags about the images and their batches."""
    define = command_line.definer(flags, "data")
    define("string", "test_data", None, "Folder like --data; else a part of it.")
    define(
        "integer",
        "num_examples",
        800,
        "Generated images.",
        lower_bound=10,
        upper_bound=10**6,
    )
    text = "Value of void pixels in the masks."
    define("integer", "ignore_class", None, text, lower_bound=0, upper_bound=65535)
    image_flags.define_image_flags(flags)
    # No rotation or zoom: at this size they blur what they resample.
    image_flags.define_augmentation_flags(
        flags, flip="both", brightness=0.1, contrast=0.2
    )
    define("bool", "class_weights", False, "Let rare classes count as much.")
    text = "Weigh thin borders between objects as the U-Net paper does."
    define("bool", "boundary_weights", False, text)


def load(flags):
    """Loads, splits and batches the images.

    Returns:
        A dict: `images` (a `MaskedImages`), `scale` (mean and deviation of targets),
        `train`, `validation`, `test` (batches), and `settings`, for resuming.
    """
    from recipes.segment import targets as segment_targets  # needs Keras

    images = segment_images.load_images(flags)
    segment_model.check_size(images.train[0].shape[1:], flags.depth)
    image_flags.bound_batch_size(flags, images)
    scale = segment_targets.scale_of(images.train[1])
    batches = functools.partial(segment_targets.batches, flags, images)
    found = {
        "train": batches(
            "train",
            augment=image_flags.augmentation(flags),
            sample_weights=segment_targets.pixel_weights(flags, images),
            seed=flags.seed,
        ),
        "validation": batches("validation", shuffle=False),
        "test": batches("test", shuffle=False),
    }
    counts = ", ".join(f"{name} {part.num_images}" for name, part in found.items())
    shape = " x ".join(map(str, images.train[0].shape[1:]))
    print("; ".join((f"data: {images.name}, images of {shape}", *images.notes)))
    print(f"images: {counts}")
    contents = [x for x in (*images.train, *images.validation) if x is not None]
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED)
    return {"images": images, "scale": scale, "settings": settings} | found
