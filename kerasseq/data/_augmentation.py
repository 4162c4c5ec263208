"""Keras' augmentation layers as a pure function of a batch and a seed."""

import contextlib
import threading

import keras
import numpy as np

# Layers that cut out what must be there: smaller images they would stretch.
_CROPS = (keras.layers.RandomCrop, keras.layers.CenterCrop)
_MIXES = (keras.layers.MixUp, keras.layers.CutMix)
_ANY_VALUE = (-1e9, 1e9)
# Layers lend their fill values for a moment, see `_filled_with`.
_LOCK = threading.Lock()


class Augmentation:
    """Runs augmentation layers, one after the other, on all parts of a batch.

    The layers' seed generators are set for each batch, so that equal seeds give equal
    batches. Masks and weight maps follow the images' geometry. Unlike with a layer
    called on a dict, they do so for `keras.layers.RandomElasticTransform` too, whose
    masks Keras draws another deformation for, and new pixels are `new_class` in masks
    and weigh 0.

    On TensorFlow the layers are compiled to one graph per batch shape, on JAX they run
    one by one; on the CPU in either case. They compute in float32 under any policy.

    Args:
        layers: list of Keras' image augmentation layers.
        new_class: class of the pixels that come in from outside where a layer fills
            them with a constant.

    Call arguments:
        batch: dict of float32 arrays: `"images"` `(batch_size, height, width,
            channels)`, and possibly `"masks"` and `"weights"` `(batch_size, height,
            width, 1)`, `"labels"` `(batch_size, any)`.
        seed: list of int.

    Returns:
        The dict with new arrays.
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
        """For each layer two arrays of seeds, one seed for each of its generators."""
        generator = np.random.default_rng(seed)
        return [generator.integers(2**31, size=(2, n, 2)) for n in self._num_seeds]

    def _apply(self, batch, seeds):
        batch = dict(batch)
        for layer, layer_seeds in zip(self.layers, seeds, strict=True):
            states = _seed_states(layer)
            with _seeded(states, layer_seeds[0]):
                change = layer.get_random_transformation(batch["images"], training=True)
            for name, part in batch.items():
                # Some layers go on drawing while they transform. Each part starts
                # from one seed, so that all are transformed alike.
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
    """Refuses layers that would spoil targets or order without a word.

    Args:
        layers: what was given.
        image_shape: `(height, width, channels)` of the images.
        with_masks: whether there are masks.

    Returns:
        The shape of the images after all layers.

    Raises:
        ValueError: for what is no augmentation layer, for layers that mix images, for
            `AugMix`, and, with masks, for crops larger than the images.
    """
    for layer in layers:
        if not hasattr(layer, "transform_segmentation_masks"):
            raise ValueError(
                "`augment` must hold Keras' augmentation layers, such as "
                f"`keras.layers.RandomFlip('horizontal')`. Received: {layer!r}"
            )
        if isinstance(layer, _MIXES):
            raise ValueError(
                "Layers that mix images must mix their labels; leave them out of "
                "`augment` and give `mixup=0.2` or `cutmix=1.0` instead. "
                f"Received: {type(layer).__name__}"
            )
        if isinstance(layer, keras.layers.AugMix):
            raise ValueError(
                "AugMix draws from a random state that no one sets, and on TensorFlow "
                "once for all batches; take RandAugment instead. Received: an AugMix"
            )
        if with_masks and isinstance(layer, _CROPS):
            _check_crop(layer, image_shape)
        image_shape = tuple(layer.compute_output_shape((1, *image_shape)))[1:]
    return image_shape


def _check_crop(layer, image_shape):
    height, width, _ = image_shape
    if height < layer.height or width < layer.width:
        raise ValueError(
            "A crop larger than the image would stretch the masks to numbers between "
            f"the classes; crop less. Received: {type(layer).__name__}({layer.height}, "
            f"{layer.width}) for images of {height}x{width}"
        )


def _in_float32(layer):
    # Half precision would round coordinates and class numbers.
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
    """Lets a layer fill new pixels with a value, and keep all values as they are."""
    lent = {"fill_value": value}
    if isinstance(layer, keras.layers.RandomElasticTransform):
        lent["value_range"] = _ANY_VALUE  # it clips masks to the range of images
    own = {name: getattr(layer, name) for name in lent if hasattr(layer, name)}
    try:
        for name in own:
            setattr(layer, name, lent[name])
        yield
    finally:
        for name in own:
            setattr(layer, name, own[name])
