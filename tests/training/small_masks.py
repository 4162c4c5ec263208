"""Small masks and a small model, for the tests of losses and metrics of masks."""

import keras
import numpy as np


def random_masks(seed=0, shape=(4, 6, 5), num_classes=3):
    """Labels, logits and zero-one weights."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, num_classes, shape).astype("int32")
    logits = random.normal(0, 2, (*shape, num_classes)).astype("float32")
    weights = random.integers(0, 2, shape).astype("float32")
    return labels, logits, weights


def certain(classes, num_classes=3):
    """Logits with probabilities of 0 and 1."""
    return 200 * np.eye(num_classes, dtype="float32")[classes]


def filled_up(labels, logits, weights):
    """The same batch with a row of weight zero."""
    return (
        np.concatenate([labels, labels[:1]]),
        np.concatenate([logits, -logits[:1]]),
        np.concatenate([weights, np.zeros_like(weights[:1])]),
    )


def train_on_blobs(loss, metrics=(), epochs=8):
    """Trains one convolution under XLA; void at the edge, a row of weight zero."""
    random = np.random.default_rng(0)
    images = random.normal(size=(8, 8, 8, 1)).astype("float32")
    labels = (images[..., 0] > 0.3).astype("int32")
    labels[:, :1] = 255
    weights = np.array([1, 1, 1, 0] * 2, "float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 1)])
    model.compile(
        keras.optimizers.Adam(0.2),
        loss,
        weighted_metrics=list(metrics),
        jit_compile=True,
    )
    fit = {"sample_weight": weights, "batch_size": 4, "verbose": 0}
    return model.fit(images, labels, epochs=epochs, **fit).history


@keras.saving.register_keras_serializable(package="kerasseq_tests")
class Offset(keras.layers.Layer):
    """Adds a variable, whose step of gradient descent is the gradient."""

    def build(self, input_shape):
        self.offset = self.add_weight(shape=input_shape[1:], initializer="zeros")

    def call(self, inputs):
        return inputs + self.offset


def gradient(loss, labels, logits):
    """Gradient of the loss of one image by its logits, under XLA."""
    model = keras.Sequential([keras.Input(logits.shape[1:]), Offset()])
    model.compile(keras.optimizers.SGD(1.0), loss, jit_compile=True)
    model.train_on_batch(logits, labels)
    return -keras.ops.convert_to_numpy(model.layers[-1].offset)
