"""Keras' augmentation layers as a pure function of a batch and a seed."""

import contextlib
import threading

import keras
import numpy as np

# Layers that need images of at least their size; they stretch smaller ones.
_CROPS = (keras.layers.RandomCrop, keras.layers.CenterCrop)
_MIXES = (keras.layers.MixUp, keras.layers.CutMix)
_ANY_VALUE = (-1e9, 1e9)
# `_filled_with` changes the layers for a moment, so batches are made one by one.
_LOCK = threading.Lock()


class Augmentation:
    """Applies augmentation layers, one after the other, to all parts of a batch.

    The seed generators of the layers are set for each batch, so that equal seeds give
    equal batches. Masks and weight maps are transformed like the images. This also
    holds for `keras.layers.RandomElasticTransform`, for which Keras itself draws
    another deformation for the masks. New pixels get the class `new_class` in masks
    and the weight 0.

    On TensorFlow the layers are traced to one graph per batch shape, on JAX they run
    one by one; both run on the CPU. They compute in float32 under any dtype policy.

    Args:
        layers: List of Keras' image augmentation layers.
        new_class: Integer. Class of the pixels that enter from outside the image where
            a layer fills with a constant.

    Call arguments:
        batch: Dict of float32 arrays: `"images"` of shape `(batch_size, height, width,
            channels)`, optional `"masks"` and `"weights"` of shape `(batch_size,
            height, width, 1)`, optional `"labels"` of shape `(batch_size, any)`.
        seed: List of integers.

    Returns:
        A dict with the new arrays.
    """

    def __init__(self, layers, new_class=0):
        self.layers = [_in_float32(layer) for layer in layers]
        self.new_class = new_class
        self._num_seeds = [len(_seed_states(layer)) for layer in self.layers]
        self._run = _compiled(self._apply)

    def __call__(self, batch, seed):
        if not self.layers:
            return batch
        seeds = self._draw_seeds(seed)
        with _LOCK, keras.device("cpu"):
            batch = self._run(batch, seeds)
        return {name: keras.ops.convert_to_numpy(batch[name]) for name in batch}

    def _draw_seeds(self, seed):
        """Two arrays of seeds per layer, with one seed per seed generator of it."""
        generator = np.random.default_rng(seed)
        return [generator.integers(2**31, size=(2, n, 2)) for n in self._num_seeds]

    def _apply(self, batch, seeds):
        batch = dict(batch)
        for layer, layer_seeds in zip(self.layers, seeds, strict=True):
            states = _seed_states(layer)
            with _seeded(states, layer_seeds[0]):
                change = layer.get_random_transformation(batch["images"], training=True)
            for name, part in batch.items():
                # Some layers draw random numbers while they transform. All parts start
                # from the same seed, so that they are transformed alike.
                with _seeded(states, layer_seeds[1]):
                    batch[name] = self._transform(layer, name, part, change)
        return batch

    def _transform(self, layer, name, part, change):
        if name == "images":
            return layer.transform_images(part, change, training=True)
        if name == "labels":
            if isinstance(layer, _MIXES):
                return layer.transform_labels(part, change, training=True)
            return part
        with _filled_with(layer, self.new_class if name == "masks" else 0):
            return layer.transform_segmentation_masks(part, change, training=True)


def check_layers(layers, image_shape, with_masks):
    """Rejects layers that would silently corrupt targets or reproducibility.

    Args:
        layers: List to check.
        image_shape: `(height, width, channels)` of the images.
        with_masks: Boolean, whether the targets are masks.

    Returns:
        The shape of the images after all layers.

    Raises:
        ValueError: For anything but augmentation layers, for layers that mix images,
            for `AugMix`, and, with masks, for crops larger than the images.
    """
    for layer in layers:
        if not hasattr(layer, "transform_segmentation_masks"):
            raise ValueError(
                "`augment` must hold Keras' augmentation layers, such as "
                f"`keras.layers.RandomFlip('horizontal')`. Received: {layer!r}"
            )
        if isinstance(layer, _MIXES):
            raise ValueError(
                "Layers that mix images must also mix their labels; leave them out of "
                "`augment` and pass `mixup=0.2` or `cutmix=1.0` instead. "
                f"Received: {type(layer).__name__}"
            )
        if isinstance(layer, keras.layers.AugMix):
            raise ValueError(
                "AugMix has no seed that can be set, and on TensorFlow it draws only "
                "once for all batches; use RandAugment instead. Received: an AugMix"
            )
        if with_masks and isinstance(layer, _CROPS):
            _check_crop(layer, image_shape)
        image_shape = tuple(layer.compute_output_shape((1, *image_shape)))[1:]
    return image_shape


def _check_crop(layer, image_shape):
    height, width, _ = image_shape
    if height < layer.height or width < layer.width:
        raise ValueError(
            "A crop larger than the image would stretch the masks and interpolate "
            "between classes; use a smaller crop. "
            f"Received: {type(layer).__name__}({layer.height}, {layer.width}) for "
            f"images of {height}x{width}"
        )


def _in_float32(layer):
    # Half precision would round coordinates and class indices.
    if layer.compute_dtype == "float32":
        return layer
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})


def _seed_states(layer):
    return [v for v in layer.variables if v.name == "seed_generator_state"]


def _compiled(function):
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, autograph=False)


def _seeded(states, seeds):
    mapping = [(state, seeds[number]) for number, state in enumerate(states)]
    return keras.StatelessScope(state_mapping=mapping)


@contextlib.contextmanager
def _filled_with(layer, value):
    """A context in which a layer fills new pixels with a value, and clips nothing."""
    changed = {"fill_value": value}
    if isinstance(layer, keras.layers.RandomElasticTransform):
        changed["value_range"] = _ANY_VALUE  # it clips masks to the range of images
    before = {name: getattr(layer, name) for name in changed if hasattr(layer, name)}
    try:
        for name in before:
            setattr(layer, name, changed[name])
        yield
    finally:
        for name in before:
            setattr(layer, name, before[name])
