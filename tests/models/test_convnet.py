import keras
import numpy as np
import pytest

from kerasseq import models

IMAGES = np.random.default_rng(0).random((4, 9, 14, 2), "float32")


def build(**options):
    options = {"widths": (4, 6, 8), "seed": 0} | options
    return models.convnet((9, 14, 2), 3, **options)


def test_halves_between_stages_rounded_up():
    model = build()
    assert model(IMAGES).shape == (4, 3)
    shapes = [model.get_layer(f"stage_{k}_b").output.shape[1:] for k in (1, 2, 3)]
    assert shapes == [(9, 14, 4), (5, 7, 6), (3, 4, 8)]
    assert model.get_layer("features").output.shape[1:] == (3, 4, 8)


def test_logits_are_linear_in_the_mean_of_the_features():
    model = build()
    features = keras.Model(model.input, model.get_layer("features").output)(IMAGES)
    kernel, bias = model.get_layer("logits").get_weights()
    expected = np.mean(features, (1, 2)) @ kernel + bias
    np.testing.assert_allclose(model(IMAGES), expected, atol=1e-6)


def test_without_a_head_the_features_come_out():
    model, headless = build(), models.convnet((9, 14, 2), None, widths=(4, 6, 8))
    headless.set_weights(model.get_weights()[:-2])
    features = keras.Model(model.input, model.get_layer("features").output)(IMAGES)
    np.testing.assert_array_equal(headless(IMAGES), features)


def test_number_of_weights_is_near_a_small_vit():
    convnet = models.convnet((28, 28, 1), 10).count_params()
    vit = models.vit((28, 28, 1), 10, patch_size=4).count_params()
    assert 0.7 < convnet / vit < 1.4


def test_rescaling():
    plain, rescaling = build(), build(include_rescaling=True)
    np.testing.assert_allclose(
        rescaling(255 * IMAGES), plain(2 * IMAGES - 1), atol=1e-6
    )


def test_dropout_only_in_training():
    model = build(dropout=0.5)
    np.testing.assert_array_equal(model(IMAGES), model(IMAGES, training=False))
    dropped = model.get_layer("dropout")(np.ones((2, 100)), training=True)
    assert set(np.unique(dropped)) == {0.0, 2.0}


def test_seed_makes_equal_weights():
    for a, b in zip(build().get_weights(), build().get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (((9, 14), 3), r"channels.*input_shape=\(9, 14\)"),
        (((9, 14, 2), 0), "positive.*num_classes=0"),
        (((9, 14, 2), 3, ()), r"widths=\(\)"),
        (((9, 14, 2), 3, (4, 0)), r"widths=\(4, 0\)"),
    ],
)
def test_bad_arguments(arguments, message):
    shape, num_classes, *widths = arguments
    options = {"widths": widths[0]} if widths else {}
    with pytest.raises(ValueError, match=message):
        models.convnet(shape, num_classes, **options)
