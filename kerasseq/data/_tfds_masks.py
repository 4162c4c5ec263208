"""Reads images with one mask each from TFDS."""

import numpy as np
from PIL import Image

from kerasseq.data import _image_files, _mask_values, _tfds_builder

_SPLITS = ("train", "validation", "test")
_MASKS = ("segmentation_mask", "segmentation_label")
# Trimaps: 1 is the animal, 2 the background, 3 the border, which may be either.
_TRIMAPS = ("oxford_iiit_pet",)
_TRIMAP_NAMES = ["background", "pet"]
_TRIMAP_CLASSES = np.array([_mask_values.VOID, 1, 0, _mask_values.VOID], "int32")


def read_tfds_masks(data, data_dir, image_size, num_channels):
    """Reads the splits train, validation and test, those that exist.

    Returns:
        The class names or `None`, and a dict from split to `(images, masks, sources)`.
    """
    builder = _tfds_builder.prepared_builder(data, data_dir)
    key = _mask_feature(builder, data)
    splits = {}
    for split in _SPLITS:
        if split in builder.info.splits:
            splits[split] = _read_split(builder, split, key, image_size, num_channels)
    names = getattr(builder.info.features[key], "names", None)
    if builder.name not in _TRIMAPS:
        return names and list(names), splits
    for _, masks, _ in splits.values():
        masks[...] = _TRIMAP_CLASSES[masks]
    return _TRIMAP_NAMES, splits


def _mask_feature(builder, data):
    """The name of the feature that holds the masks."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    key = next((key for key in _MASKS if key in features), None)
    fits = (
        "train" in builder.info.splits
        and key
        and "image" in features
        and isinstance(features["image"], tfds.features.Image)
        and np.dtype(features["image"].np_dtype) == "uint8"
        and features["image"].shape[-1] in (1, 3)
        and np.issubdtype(features[key].np_dtype, np.integer)
    )
    if not fits:
        raise ValueError(
            f"The data set {data!r} has no images with masks: it must have a train "
            "split, 8-bit gray or RGB images 'image' and integer masks "
            f"{' or '.join(_MASKS)}. Received: features={list(features)}, "
            f"splits={list(builder.info.splits)}"
        )
    return key


def _read_split(builder, split, key, image_size, num_channels):
    import tensorflow_datasets as tfds

    num_images = builder.info.splits[split].num_examples
    decoders = tfds.decode.PartialDecoding({"image": True, key: True})
    dataset = builder.as_dataset(split=split, decoders=decoders)
    sources = [f"of example {row} of {split}" for row in range(num_images)]
    images = None
    for row, example in enumerate(tfds.as_numpy(dataset)):
        image, mask = example["image"], _flat(example[key])
        if image.shape[:2] != mask.shape:
            raise ValueError(
                "An image and its mask must have the same size. Received: in example "
                f"{row} of {split} {image.shape[:2]} and {mask.shape}"
            )
        image = _image_files.fit_image(image, image_size, num_channels)
        if images is None:
            images = np.empty((num_images, *image.shape), "uint8")
            masks = np.empty((num_images, *image.shape[:2]), "int32")
        if image.shape != images.shape[1:]:
            raise ValueError(
                "The images differ in size; pass `image_size=(height, width)` to "
                f"resize them. Received: {images.shape[1:3]} and {image.shape[:2]}"
            )
        images[row], masks[row] = image, _fit_mask(mask, image.shape[:2])
    return images, masks, sources


def _flat(mask):
    return mask[..., 0] if mask.ndim == 3 else mask


def _fit_mask(mask, size):
    if mask.shape == size:
        return mask
    image = Image.fromarray(mask.astype("int32"))
    return np.array(image.resize(size[::-1], Image.Resampling.NEAREST))
