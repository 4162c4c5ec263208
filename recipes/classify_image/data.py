"""Images and batches of `recipes.classify_image`."""

import functools

import kerasseq
from recipes.classify_image import model as classify_image_model
from recipes.shared import command_line, image_flags, image_size, training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("images", "input_size", "tta", "quantize", "calibrate")
UNFINGERPRINTED += ("float_layers",)
MIXED_SIDE = 128  # of images of several sizes, unless --image_size says otherwise


def define_flags(flags):
    """Adds the flags about the images and their batches."""
    define = command_line.definer(flags, "data")
    image_flags.define_image_flags(flags)
    text = "Size of the image that the exported file takes; else --image_size."
    define("string", "input_size", None, text)
    image_flags.define_augmentation_flags(flags, shift=0.05)
    rate = {"lower_bound": 0.0, "upper_bound": 1.0}
    text = "Augmentation: random erasing, of this fraction of the images."
    define("float", "erase", 0.0, text, **rate)
    text = "MixUp: alpha of the beta distribution; 0: no."
    define("float", "mixup", 0.2, text, lower_bound=0.0)
    text = "CutMix: alpha of the beta distribution, 1.0 or so; 0: no."
    define("float", "cutmix", 0.0, text, **rate)
    define("bool", "class_weights", False, "Let rare classes count as much.")


def load(flags):
    """Loads, splits and batches the images.

    Returns:
        What `make_batches` returns.
    """
    images = load_images(flags)
    shape = " x ".join(map(str, images.train[0].shape[1:]))
    print(f"data: {images.name}, {len(images.class_names)} classes, images of {shape}")
    return make_batches(flags, images)


def load_images(flags, **options):
    """The images, a `kerasseq.data.LabeledImages`."""
    options = image_flags.image_options(flags) | options
    options["image_size"] = options["image_size"] or image_size.choose(
        flags, functools.partial(_multiple, flags), MIXED_SIDE
    )
    return kerasseq.data.load_labeled_images(
        flags.data, data_dir=flags.data_dir, seed=flags.seed, **options
    )


def _multiple(flags, side):
    """What the sides of images must be multiples of."""
    return classify_image_model.patch_size(flags, side) if flags.arch == "vit" else 1


def make_batches(flags, images):
    """Batches of all three splits.

    Returns:
        A dict: `images`, as given, `train`, `validation`, `test`
        (`kerasseq.data.ImageBatches`), and `settings`, what a resumed run must have in
        common.
    """
    image_flags.bound_batch_size(flags, images)
    options = {"num_classes": len(images.class_names), "one_hot": True}
    batches = functools.partial(
        kerasseq.data.ImageBatches, batch_size=flags.batch_size, **options
    )
    weights = None
    if flags.class_weights:
        weights = kerasseq.data.class_weights(images.train[1])
    found = {
        "train": batches(
            *images.train,
            augment=_augmentation(flags),
            mixup=flags.mixup,
            cutmix=flags.cutmix,
            sample_weights=weights,
            seed=flags.seed,
        ),
        "validation": batches(*images.validation, shuffle=False),
        "test": batches(*images.test, shuffle=False),
    }
    counts = (f"{name} {part.num_images}" for name, part in found.items())
    print(f"images: {', '.join(counts)}")
    contents = [*images.train, *images.validation]
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED)
    return {"images": images, "settings": settings} | found


def _augmentation(flags):
    import keras

    layers = image_flags.augmentation(flags)
    if flags.erase:
        layers.append(keras.layers.RandomErasing(flags.erase))
    return layers


def device_images(flags, data):
    """The images in the size that the exported file takes."""
    size = image_flags.parse_size("input_size", flags.input_size)
    if size is None or tuple(size) == data["images"].test[0].shape[1:3]:
        return data["images"]
    return load_images(flags, image_size=size)
