"""Attention rollout and Grad-CAM: by hand, against NumPy, and on planted images."""

import jax_process
import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import explain, models

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3)).astype("uint8")


class FixedAttention(keras.layers.Layer):
    """Puts out the same attention weights for every image."""

    def __init__(self, scores, **kwargs):
        super().__init__(**kwargs)
        self.scores = np.asarray(scores, "float32")

    def call(self, query, value, return_attention_scores=False):
        scores = ops.broadcast_to(
            self.scores, (ops.shape(query)[0], *self.scores.shape)
        )
        return (query, scores) if return_attention_scores else query


def fixed_model(*blocks, rows=1, columns=3, prefix=True):
    """Pixels as patches; every block has attention weights `(heads, T, T)`."""
    image = keras.Input((rows, columns, 1))
    x = keras.layers.Identity(name="patches")(image)
    x = keras.layers.Reshape((rows * columns, 1))(x)
    if prefix:
        x = keras.layers.ZeroPadding1D((1, 0))(x)
    for number, scores in enumerate(blocks, 1):
        x = FixedAttention(scores, name=f"block_{number}_attention")(x, x)
    return keras.Model(image, x)


def rollout(model, **options):
    images = np.zeros((2, *model.input_shape[1:]))
    maps = explain.attention_rollout(model, images, **options)
    np.testing.assert_array_equal(maps[0], maps[1])
    return maps[0]


def build_vit(**options):
    sizes = {"patch_size": 4, "hidden_dim": 8, "num_layers": 3, "mlp_dim": 16}
    return models.vit((16, 24, 3), 5, include_rescaling=True, **sizes, **options)


FIRST = [
    [0.4, 0.2, 0.2, 0.2],
    [0.0, 0.6, 0.4, 0.0],
    [0.0, 0.0, 1.0, 0.0],
    [0.5, 0.5, 0.0, 0.0],
]
SECOND = [[0.0, 0.6, 0.0, 0.4], *np.eye(4)[1:]]


def test_rollout_by_hand():
    # Half of every row stays: row 0 of the second block is (0.5, 0.3, 0, 0.2), so
    # 0.5 (0.7, 0.1, 0.1, 0.1) + 0.3 (0, 0.8, 0.2, 0) + 0.2 (0.25, 0.25, 0, 0.5)
    # = (0.4, 0.34, 0.11, 0.15); the patches are the last three.
    expected = (np.array([[0.34, 0.11, 0.15]]) - 0.11) / (0.34 - 0.11)
    found = rollout(fixed_model([FIRST], [SECOND]))
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_rollout_without_residual_is_the_product():
    row = (np.array(SECOND) @ np.array(FIRST))[:1, 1:]
    found = rollout(fixed_model([FIRST], [SECOND]), residual=0)
    expected = (row - row.min()) / (row.max() - row.min())
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_rollout_without_a_class_token_takes_the_mean_of_rows():
    scores = [[1, 0, 0], [0.5, 0, 0.5], [0.5, 0, 0.5]]  # means 2/3, 0, 1/3
    found = rollout(fixed_model([scores], prefix=False), residual=0)
    np.testing.assert_allclose(found, [[1, 0, 0.5]], atol=1e-6)


def test_heads_are_made_one_and_rows_scaled():
    heads = [[[0.6, 0.3, 0.1]] * 3, [[0.2, 0.2, 0.6]] * 3]
    model = fixed_model(heads, prefix=False)
    mean, most, least = (
        rollout(model, residual=0, head_fusion=x) for x in ("mean", "max", "min")
    )
    np.testing.assert_allclose(mean, [[1, 0, 2 / 3]], atol=1e-6)  # .4 .25 .35
    np.testing.assert_allclose(most, [[1, 0, 1]], atol=1e-6)  # .6 .3 .6
    np.testing.assert_allclose(least, [[1, 1, 0]], atol=1e-6)  # .2 .2 .1


def test_disjoint_heads_have_a_minimum_of_zero():
    found = rollout(fixed_model([np.eye(3), np.eye(3)[::-1]]), head_fusion="min")
    assert np.isfinite(found).all()


def test_a_map_without_contrast_is_zero():
    scores = np.full((2, 5, 5), 0.2) + np.random.default_rng(0).normal(0, 1e-8, (5, 5))
    assert not rollout(fixed_model(scores, rows=2, columns=2)).any()


@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_rollout_of_a_vit_equals_numpy(pooling):
    model = build_vit(pooling=pooling, attention_dropout=0.5)
    found = explain.attention_rollout(model, IMAGES, residual=0.3)
    normed = [model.get_layer(f"block_{i}_norm_1").output for i in (1, 2, 3)]
    product = np.eye(24 + (pooling == "token"))
    for i, x in enumerate(keras.Model(model.inputs[0], normed)(IMAGES)):
        layer = model.get_layer(f"block_{i + 1}_attention")
        scores = ops.convert_to_numpy(layer(x, x, return_attention_scores=True)[1])
        product = (0.7 * scores.mean(1) + 0.3 * np.eye(len(product[-1]))) @ product
    rows = product[:, 0, 1:] if pooling == "token" else product.mean(1)
    rows = (rows - rows.min(1, keepdims=True)).reshape(3, 4, 6, 1)
    maps = ops.convert_to_numpy(ops.image.resize(rows.astype("float32"), (16, 24)))
    maps = maps[..., 0] / maps.max(axis=(1, 2, 3))[:, None, None]
    np.testing.assert_allclose(found, maps, atol=1e-4)


@pytest.mark.parametrize("options", [{"stem": "convolution"}, {"positions": "learned"}])
def test_rollout_leaves_the_model_as_it_is(options):
    model = build_vit(**options)
    before, config = ops.convert_to_numpy(model(IMAGES)), model.to_json()
    many = np.concatenate([IMAGES] * 12)  # more than one batch
    maps = explain.attention_rollout(model, many)
    assert maps.shape == (36, 16, 24) and maps.dtype == "float32"
    assert maps.min() >= 0
    np.testing.assert_array_equal(maps.max(axis=(1, 2)), 1)
    np.testing.assert_allclose(maps[33:], maps[:3], atol=1e-4)
    np.testing.assert_array_equal(ops.convert_to_numpy(model(IMAGES)), before)
    assert model.to_json() == config


def corner_model():
    """Class 0 sees the first channel, class 1 the second; a ReLU in the head."""
    image = keras.Input((8, 12, 2))
    features = keras.layers.MaxPooling2D(2, name="features")(image)
    x = keras.layers.GlobalAveragePooling2D()(features)
    x = keras.layers.Dense(2, activation="relu", kernel_initializer="identity")(x)
    return keras.Model(image, keras.layers.Dense(2, kernel_initializer="identity")(x))


def corner_images():
    """The first channel is bright top left, the second, more so, bottom right."""
    images = np.zeros((2, 8, 12, 2), "float32")
    images[:, :2, :2, 0] = 1
    images[:, -2:, -2:, 1] = 2
    images[1, ..., 1] = 0
    return images


def test_grad_cam_finds_the_patch_that_decides():
    maps = explain.grad_cam(corner_model(), corner_images())
    assert maps.shape == (2, 8, 12) and maps.dtype == "float32"
    assert maps[0, -1, -1] == maps[1, 0, 0] == 1
    assert not maps[0, :5, :8].any() and not maps[1, 4:].any()


def test_grad_cam_explains_the_class_asked_for():
    model, images = corner_model(), corner_images()
    first = explain.grad_cam(model, images, 0)
    assert first[0, 0, 0] == first[1, 0, 0] == 1
    assert not first[:, 4:].any()
    each = explain.grad_cam(model, images, np.array([1, 1]))
    assert each[0, -1, -1] == 1
    assert not each[1].any()  # nothing there speaks for it


def test_grad_cam_of_a_linear_head_is_class_activation_mapping():
    model = models.convnet((16, 24, 3), 5, widths=(4, 6), include_rescaling=True)
    config = model.to_json()
    features = keras.Model(model.inputs[0], model.get_layer("features").output)(IMAGES)
    kernel = ops.convert_to_numpy(model.get_layer("logits").kernel)
    for index in range(5):
        found = explain.grad_cam(model, IMAGES, index)
        cam = np.maximum(ops.convert_to_numpy(features) @ kernel[:, [index]], 0)
        cam = ops.convert_to_numpy(ops.image.resize(cam, (16, 24)))[..., 0]
        peaks = cam.max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(found, cam / np.maximum(peaks, 1e-9), atol=1e-4)
    assert model.to_json() == config


def test_grad_cam_defaults_to_the_predicted_class():
    model = models.convnet((16, 24, 3), 5, widths=(4, 6), include_rescaling=True)
    many = np.concatenate([IMAGES] * 12)
    predicted = ops.convert_to_numpy(model(many)).argmax(-1)
    expected = explain.grad_cam(model, many, predicted)
    np.testing.assert_array_equal(explain.grad_cam(model, many), expected)


def test_grad_cam_of_another_layer():
    model = models.convnet((16, 24, 3), 5, widths=(4, 6), include_rescaling=True)
    assert explain.grad_cam(model, IMAGES, layer_name="pool_1").shape == (3, 16, 24)


def test_bad_input_of_rollout():
    plain = models.convnet((16, 24, 3), 5, widths=(4,))
    with pytest.raises(ValueError, match="rollout needs .*block_1_attention"):
        explain.attention_rollout(plain, IMAGES)
    with pytest.raises(ValueError, match=r"`residual`.*Received: residual=1"):
        explain.attention_rollout(plain, IMAGES, residual=1)
    with pytest.raises(ValueError, match=r"Received: head_fusion='sum'"):
        explain.attention_rollout(plain, IMAGES, head_fusion="sum")
    with pytest.raises(ValueError, match=r"images.shape=\(16, 24, 3\)"):
        explain.attention_rollout(plain, IMAGES[0])


def test_bad_input_of_grad_cam():
    model = models.convnet((16, 24, 3), 5, widths=(4,))
    with pytest.raises(ValueError, match="layer_name='nowhere'.*'features'"):
        explain.grad_cam(model, IMAGES, layer_name="nowhere")
    with pytest.raises(ValueError, match=r"feature map .*\(None, 4\)"):
        explain.grad_cam(model, IMAGES, layer_name="pool")
    for index in (5, -1, 0.5, [0, 1]):
        with pytest.raises(ValueError, match="Received: class_index="):
            explain.grad_cam(model, IMAGES, index)
    with pytest.raises(ValueError, match=r"images.shape=\(0, 16, 24, 3\)"):
        explain.grad_cam(model, IMAGES[:0])


def test_grad_cam_refuses_a_layer_with_a_way_around_it():
    image = keras.Input((16, 24, 3))
    features = keras.layers.Conv2D(3, 3, padding="same", name="features")(image)
    x = keras.layers.GlobalAveragePooling2D()(features + image)
    model = keras.Model(image, keras.layers.Dense(2)(x))
    with pytest.raises(ValueError, match="does not pass through this layer"):
        explain.grad_cam(model, IMAGES)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="already on JAX")
def test_the_same_on_jax():
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    result = jax_process.run(*command, "-k", "hand or decides or asked_for", __file__)
    assert result.returncode == 0, result.stdout + result.stderr
