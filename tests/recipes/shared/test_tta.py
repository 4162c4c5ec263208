import types

import keras
import numpy as np
import pytest

from kerasseq import models
from recipes.shared import tta

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 16, 8, 1)).astype("float32")


def flag(mirror):
    return types.SimpleNamespace(tta=mirror)


@pytest.mark.parametrize("mirror", ["horizontal", "vertical", "both"])
def test_mean_over_the_mirror_images(mirror):
    model = models.unet(IMAGES.shape[1:], heads={"mask": 2}, width=2, depth=1)
    flips = [np.s_[:], np.s_[:, :, ::-1], np.s_[:, ::-1], np.s_[:, ::-1, ::-1]]
    wanted = {"horizontal": [0, 1], "vertical": [0, 2], "both": [0, 1, 2, 3]}[mirror]
    parts = [np.array(model(IMAGES[flips[n]])["mask"])[flips[n]] for n in wanted]
    found = tta.inference_model(flag(mirror), model)(IMAGES)["mask"]
    np.testing.assert_allclose(found, np.mean(parts, axis=0), atol=1e-5)


def test_classifier_and_its_file(tmp_path):
    model = models.convnet(IMAGES.shape[1:], 3, widths=(4,))
    found = tta.inference_model(flag("horizontal"), model)
    mean = (np.array(model(IMAGES)) + np.array(model(IMAGES[:, :, ::-1]))) / 2
    np.testing.assert_allclose(found(IMAGES), mean, atol=1e-5)
    found.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(IMAGES), mean, atol=1e-5)
    assert tta.inner(found) is model


def test_none_is_the_model_itself():
    model = models.convnet(IMAGES.shape[1:], 3, widths=(4,))
    assert tta.inference_model(flag("none"), model) is model
    assert tta.inner(model) is model
