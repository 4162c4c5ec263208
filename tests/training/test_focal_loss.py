import keras
import numpy as np
import pytest

from kerasseq.training import FocalLoss, SmoothedCrossEntropy
from tests.training.small_masks import filled_up, gradient, random_masks, train_on_blobs

SHAPES = [(4,), (4, 6, 5)]


def test_one_label_by_hand():
    value = FocalLoss()(np.array([0]), np.log([[0.9, 0.1]]))
    np.testing.assert_allclose(value, 0.1**2 * -np.log(0.9), rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_equals_keras_on_one_hot(shape, gamma, label_smoothing):
    labels, logits, weights = random_masks(shape=shape)
    alpha = [0.2, 0.3, 0.5]
    twin = keras.losses.CategoricalFocalCrossentropy(
        alpha,
        gamma,
        from_logits=True,
        label_smoothing=label_smoothing,
        reduction="mean_with_sample_weight",
    )
    value = FocalLoss(gamma, alpha, label_smoothing)(labels, logits, weights)
    expected = twin(np.eye(3, dtype="float32")[labels], logits, weights)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_is_cross_entropy_without_gamma(shape, label_smoothing):
    labels, logits, weights = random_masks(shape=shape)
    value = FocalLoss(0.0, label_smoothing=label_smoothing)(labels, logits, weights)
    expected = SmoothedCrossEntropy(label_smoothing)(labels, logits, weights)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("void", [255, -1, 2])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_void_counts_like_weight_zero(shape, void, label_smoothing):
    labels, logits, weights = random_masks(shape=shape)
    labels = np.minimum(labels, 1)
    settings = {"label_smoothing": label_smoothing}
    expected = FocalLoss(**settings)(labels, logits, weights)
    loss = FocalLoss(**settings, ignore_class=void)
    value = loss(np.where(weights > 0, labels, void), logits)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_of_weight_zero_counts_nowhere(shape):
    labels, logits, _ = random_masks(shape=shape)
    weights = np.ones(4, "float32")
    value = FocalLoss()(*filled_up(labels, logits, weights))
    np.testing.assert_allclose(value, FocalLoss()(labels, logits), rtol=1e-6)


def test_weights_of_images_hold_for_their_pixels():
    labels, logits, _ = random_masks(shape=(2, 2, 2))
    weights = np.array([1.0, 3.0], "float32")
    value = FocalLoss()(labels, logits, weights)
    expected = FocalLoss()(labels, logits, np.repeat(weights, 4).reshape(2, 2, 2))
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_all_void_is_zero():
    _, logits, _ = random_masks()
    assert float(FocalLoss(ignore_class=255)(np.full((4, 6, 5), 255), logits)) == 0


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_gradient_at_the_extremes(gamma):
    labels = np.array([[[0, 0]]])
    logits = np.array([[[[90.0, 0.0], [0.0, 90.0]]]], "float32")
    right, wrong = gradient(FocalLoss(gamma), labels, logits)[0]
    np.testing.assert_allclose(right, 0, atol=1e-3)
    # Two pixels: half of the gradient of cross entropy.
    np.testing.assert_allclose(wrong, [-0.5, 0.5], rtol=1e-5)


def test_keras_has_no_gradient_where_a_pixel_is_most_wrong():
    twin = keras.losses.CategoricalFocalCrossentropy(1.0, 2.0, from_logits=True)
    labels = np.array([[[[1.0, 0.0]]]])
    logits = np.array([[[[0.0, 90.0]]]], "float32")
    assert not gradient(twin, labels, logits).any()


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_trains(gamma):
    history = train_on_blobs(FocalLoss(gamma, [0.4, 0.6], 0.1, ignore_class=255))
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_trains_a_classifier():
    labels, logits, _ = random_masks(shape=(16,))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.1), FocalLoss(), jit_compile=True)
    history = model.fit(logits, labels, sample_weight=np.ones(16), epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_config_round_trip():
    config = {
        "gamma": 1.0,
        "alpha": [0.25, 0.75],
        "label_smoothing": 0.1,
        "ignore_class": 255,
        "reduction": "sum",
        "name": "loss",
    }
    loss = FocalLoss(**{**config, "alpha": np.array([0.25, 0.75])})
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert loss.get_config() == again.get_config() == config
    assert keras.saving.get_registered_name(type(again)) == "kerasseq>FocalLoss"


@pytest.mark.parametrize(
    "settings",
    [
        {"gamma": -1},
        {"gamma": float("nan")},
        {"alpha": 0.25},
        {"label_smoothing": 1.0},
        {"label_smoothing": -0.1},
    ],
)
def test_arguments_out_of_range(settings):
    with pytest.raises(ValueError, match=f"Received: {next(iter(settings))}="):
        FocalLoss(**settings)


def test_alpha_of_another_number_of_classes():
    labels, logits, _ = random_masks()
    with pytest.raises(ValueError, match="3 classes"):
        FocalLoss(alpha=[0.5, 0.5])(labels, logits)


def test_one_hot_labels_are_refused():
    _, logits, _ = random_masks()
    with pytest.raises(ValueError, match="integer labels"):
        FocalLoss()(logits, logits)
