"""Reads images with one label each from TFDS."""

import numpy as np

from kerasseq.data import _image_files, _tfds_builder

_SPLITS = ("train", "validation", "test")


def read_tfds_images(data, data_dir, image_size, num_channels):
    """Reads the splits train, validation and test, those that exist.

    Returns:
        The class names, and a dict from split to `(images, labels)`.
    """
    builder = _tfds_builder.prepared_builder(data, data_dir)
    label = _label_feature(builder, data)
    splits = {}
    for split in _SPLITS:
        if split in builder.info.splits:
            images, labels = _read_split(builder, split, image_size, num_channels)
            splits[split] = images, labels
    names = label.names or map(str, range(label.num_classes))
    return list(names), splits


def _label_feature(builder, data):
    import tensorflow_datasets as tfds

    features, keys = builder.info.features, builder.info.supervised_keys
    fits = (
        "train" in builder.info.splits
        and keys
        and all(isinstance(key, str) for key in keys[:2])
        and isinstance(features[keys[0]], tfds.features.Image)
        and isinstance(features[keys[1]], tfds.features.ClassLabel)
        and np.dtype(features[keys[0]].np_dtype) == "uint8"
        and features[keys[0]].shape[-1] in (1, 3)
    )
    if not fits:
        raise ValueError(
            f"The data set {data!r} has no labeled images: it must have a train split "
            "of 8-bit gray or RGB images, each with one class. Received: "
            f"supervised_keys={keys}, splits={list(builder.info.splits)}"
        )
    return features[keys[1]]


def _read_split(builder, split, image_size, num_channels):
    import tensorflow_datasets as tfds

    num_images = builder.info.splits[split].num_examples
    images, labels = None, np.empty(num_images, "int32")
    dataset = builder.as_dataset(split=split, as_supervised=True)
    for row, (image, label) in enumerate(tfds.as_numpy(dataset)):
        image = _image_files.fit_image(image, image_size, num_channels)
        if images is None:
            images = np.empty((num_images, *image.shape), "uint8")
        if image.shape != images.shape[1:]:
            raise ValueError(
                "The images differ in size; pass `image_size=(height, width)` to "
                f"resize them. Received: {images.shape[1:3]} and {image.shape[:2]}"
            )
        images[row], labels[row] = image, label
    return images, labels
