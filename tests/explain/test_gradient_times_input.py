"""Gradient times input of images: by hand on a linear model, and of a recurrent one."""

import jax_process
import keras
import numpy as np
import pytest

from kerasseq import explain, models

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 5, 4, 2)).astype("uint8")
ON_JAX = """
import numpy as np
from kerasseq import explain, models
model = models.image_sequence_classifier((3, 4, 2), 3, units=8, as_sequence="pixels")
images = np.full((1, 3, 4, 2), 200, "uint8")
found = explain.gradient_times_input(model, images)
assert found.shape == (1, 3, 4) and found.max() == 1
"""


class TestNumbers:
    def test_a_linear_model_is_the_sum_of_its_pixels(self):
        image = keras.Input((5, 4, 2))
        logits = keras.layers.Dense(3)(keras.layers.Flatten()(image))
        model = keras.Model(image, logits)
        found = explain.gradient_times_input(model, IMAGES)

        kernel = model.get_weights()[0].reshape(5, 4, 2, 3)
        kernel = kernel - kernel.mean(axis=-1, keepdims=True)
        classes = np.asarray(model(IMAGES.astype("float32"))).argmax(axis=-1)
        for image, index, heat in zip(IMAGES, classes, found, strict=True):
            expected = (image * kernel[..., index]).sum(axis=-1).clip(0)
            np.testing.assert_allclose(heat, expected / expected.max(), atol=1e-5)
        assert found.dtype == "float32"

    def test_black_pixels_have_none_of_it(self):
        images = IMAGES.copy()
        images[:, 2:] = 0
        model = models.image_sequence_classifier((5, 4, 2), 3, units=8, seed=0)
        found = explain.gradient_times_input(model, images)
        assert np.all(found[:, 2:] == 0)
        np.testing.assert_allclose(found.max(axis=(1, 2)), 1)

    @pytest.mark.slow
    def test_on_jax(self):
        result = jax_process.run("-c", ON_JAX, KERAS_BACKEND="jax")
        assert result.returncode == 0, result.stderr


class TestErrors:
    def test_images(self):
        model = models.image_sequence_classifier((5, 4, 2), 3, units=8)
        with pytest.raises(ValueError, match=r"num, height, width, channels.*5, 4, 2"):
            explain.gradient_times_input(model, IMAGES[0])

    def test_a_model_without_logits(self):
        model = models.convnet((5, 4, 2), None, widths=(4,))
        with pytest.raises(ValueError, match="one output, logits"):
            explain.gradient_times_input(model, IMAGES)
