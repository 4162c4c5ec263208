"""A baseline of `vision_train`: builds one model in one library and trains it.

A training step is forward, cross entropy (per image or per pixel), backward and Adam,
on one fixed batch of the library's own tensors. Keras models use `compile` and
`train_on_batch`, which has an overhead of 0.4 ms, PyTorch the usual five lines. Every
step waits for its loss.
"""

import math

import numpy as np

from benchmarks import interleaved, machine

LEARNING_RATE = 1e-4
NUM_CLASSES = {"vit": 10, "unet": 2}


def load(library, num_threads, **settings):
    """Imports the library; returns the builder and the device."""
    machine.limit_threads(num_threads)
    if library == "torch":
        return _load_torch(num_threads, **settings)
    return _load_keras(library, num_threads, **settings)


def _arrays(model, batch_size, input_shape):
    generator = np.random.default_rng(0)
    images = generator.random((batch_size, *input_shape), "float32")
    shape = (batch_size,) if model == "vit" else (batch_size, *input_shape[:2])
    return images, generator.integers(0, NUM_CLASSES[model], shape)


def _load_keras(
    library,
    num_threads,
    model,
    batch_size,
    input_shape,
    sizes,
    num_weights,
    jit_compile,
):
    import keras
    import tensorflow as tf

    machine.limit_tensorflow(num_threads)
    if library == "kerasseq":
        from kerasseq import models

        build = getattr(models, model)
    else:
        import keras_nlp

        build = _with_head(keras_nlp.models.ViTBackbone)

    def prepare():
        network = build(input_shape, NUM_CLASSES[model], **sizes)
        _check(sum(math.prod(w.shape) for w in network.trainable_weights), num_weights)
        network.compile(
            keras.optimizers.Adam(LEARNING_RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
        )
        arrays = _arrays(model, batch_size, input_shape)
        images, labels = (tf.constant(array) for array in arrays)
        return lambda: float(network.train_on_batch(images, labels))

    return prepare, {"device": _tensorflow_device()}


def _with_head(backbone):
    """Adds the head of our model, logits of the class token, to a backbone."""
    import keras

    def build(input_shape, num_classes, patch_size, **sizes):
        model = backbone(image_shape=input_shape, patch_size=patch_size, **sizes)
        head = keras.layers.Dense(num_classes)
        return keras.Model(model.input, head(model.output[:, 0]))

    return build


def _tensorflow_device():
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "cpu"
    return tf.config.experimental.get_device_details(gpus[0])["device_name"]


def _load_torch(
    num_threads, model, batch_size, input_shape, sizes, num_weights, jit_compile
):
    import torch

    from benchmarks import torch_vision

    torch.set_num_threads(num_threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    build = {"vit": torch_vision.VisionTransformer, "unet": torch_vision.UNet}[model]

    def prepare():
        network = build(input_shape, NUM_CLASSES[model], **sizes).to(device)
        _check(sum(w.numel() for w in network.parameters()), num_weights)
        optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
        arrays = _arrays(model, batch_size, input_shape)
        images, labels = (torch.from_numpy(array).to(device) for array in arrays)
        images = images.movedim(-1, 1).contiguous()

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    name_of_device = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return prepare, {"device": name_of_device}


def _check(count, expected):
    if count != expected:
        raise ValueError(
            "All baselines must have the same number of trainable weights. "
            f"Received: {count}, expected: {expected}"
        )


if __name__ == "__main__":
    interleaved.serve(load)
