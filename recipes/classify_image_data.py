"""Images and batches of `recipes.classify_image`."""

import functools

import kerasseq
from recipes import training_run, vision_flags

# Flags that may differ when a run is resumed.
FREE_FLAGS = ("from", "images", "input_size", "mirror", "quantize", "calibrate")
FREE_FLAGS += ("keep_float",)


def load_data(values):
    """Loads, splits and batches the images.

    Returns:
        What `make_batches` returns.
    """
    images = load_images(values)
    shape = " x ".join(map(str, images.train[0].shape[1:]))
    print(f"data: {images.name}, {len(images.class_names)} classes, images of {shape}")
    return make_batches(values, images)


def load_images(values, **options):
    """The images, a `kerasseq.data.LabelledImages`."""
    return kerasseq.data.load_labelled_images(
        values.data,
        data_dir=values.data_dir,
        validation_share=values.validation_share,
        test_share=values.test_share,
        seed=values.seed,
        **vision_flags.image_options(values) | options,
    )


def make_batches(values, images):
    """Batches of all three splits.

    Returns:
        A dict: `images`, as given, `train`, `validation`, `test`
        (`kerasseq.data.ImageBatches`), and `settings`, what a resumed run must share.
    """
    options = {"num_classes": len(images.class_names), "one_hot": True}
    batches = functools.partial(
        kerasseq.data.ImageBatches, batch_size=values.batch_size, **options
    )
    weights = None
    if values.class_weights:
        weights = kerasseq.data.class_weights(images.train[1])
    found = {
        "train": batches(
            *images.train,
            augment=_augmentation(values),
            mixup=values.mixup,
            cutmix=values.cutmix,
            sample_weights=weights,
            seed=values.seed,
        ),
        "validation": batches(*images.validation, shuffle=False),
        "test": batches(*images.test, shuffle=False),
    }
    counts = (f"{name} {part.num_images}" for name, part in found.items())
    print(f"images: {', '.join(counts)}")
    contents = [*images.train, *images.validation]
    settings = training_run.fingerprint(values, contents, FREE_FLAGS)
    return {"images": images, "settings": settings} | found


def _augmentation(values):
    import keras

    layers = vision_flags.augmentation(values)
    if values.erase:
        layers.append(keras.layers.RandomErasing(values.erase))
    return layers


def device_images(values, data):
    """The images in the size that the exported file takes."""
    size = vision_flags.parse_size("input_size", values.input_size)
    if size is None or tuple(size) == data["images"].test[0].shape[1:3]:
        return data["images"]
    return load_images(values, image_size=size)
