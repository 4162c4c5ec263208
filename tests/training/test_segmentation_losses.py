import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, jaccard_score

from kerasseq.training import DiceLoss, SoftJaccard
from tests.training.small_masks import (
    certain,
    filled_up,
    gradient,
    random_masks,
    train_on_blobs,
)

LOSSES = [DiceLoss, SoftJaccard]
PER_IMAGE = [False, True]


def by_numpy(loss_class, labels, logits, weights):
    """One region, all classes present."""
    powers = np.exp(logits.astype("float64"))
    soft = powers / powers.sum(-1, keepdims=True)
    hard = np.eye(3)[labels]
    weights = weights[..., None]
    both, truth, prediction = (
        (weights * part).sum((0, 1, 2)) for part in (soft * hard, hard, soft)
    )
    if loss_class is DiceLoss:
        return np.mean(1 - 2 * both / (truth + prediction))
    return np.mean(1 - both / (truth + prediction - both))


def test_two_pixels_by_hand():
    labels = np.array([[[0, 1]]])
    logits = np.log([[[[0.75, 0.25], [0.5, 0.5]]]])
    dice = 1 - (2 * 0.75 / (1 + 1.25) + 2 * 0.5 / (1 + 0.75)) / 2
    jaccard = 1 - (0.75 / (1 + 1.25 - 0.75) + 0.5 / (1 + 0.75 - 0.5)) / 2
    np.testing.assert_allclose(DiceLoss()(labels, logits), dice, rtol=1e-6)
    np.testing.assert_allclose(SoftJaccard()(labels, logits), jaccard, rtol=1e-6)


@pytest.mark.parametrize("loss_class", LOSSES)
def test_sums_run_over_the_batch(loss_class):
    labels, logits, weights = random_masks()
    value = loss_class()(labels, logits, weights)
    expected = by_numpy(loss_class, labels, logits, weights)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("loss_class", LOSSES)
def test_sums_run_over_an_image(loss_class):
    labels, logits, weights = random_masks()
    value = loss_class(per_image=True)(labels, logits, weights)
    rows = [part[:, None] for part in (labels, logits, weights)]
    expected = [by_numpy(loss_class, *row) for row in zip(*rows, strict=True)]
    np.testing.assert_allclose(value, np.mean(expected), rtol=1e-5)


def test_equals_keras_dice_where_that_suffices():
    labels, logits, _ = random_masks()
    one_hot = np.eye(3, dtype="float32")[labels]
    dice = keras.losses.dice(one_hot, keras.ops.softmax(logits), axis=(0, 1, 2))
    expected = np.mean(keras.ops.convert_to_numpy(dice))
    np.testing.assert_allclose(DiceLoss()(labels, logits), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "loss_class, score", [(DiceLoss, f1_score), (SoftJaccard, jaccard_score)]
)
def test_equals_scikit_learn_of_certain_predictions(loss_class, score):
    labels, logits, _ = random_masks()
    predicted = logits.argmax(-1)
    value = loss_class()(labels, certain(predicted))
    expected = 1 - score(labels.ravel(), predicted.ravel(), average="macro")
    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("per_image", PER_IMAGE)
@pytest.mark.parametrize("loss_class", LOSSES)
def test_an_absent_class_does_not_disturb(loss_class, per_image):
    labels, logits, _ = random_masks()
    more = np.pad(logits, [(0, 0)] * 3 + [(0, 2)], constant_values=-200)
    loss = loss_class(per_image=per_image)
    np.testing.assert_allclose(loss(labels, more), loss(labels, logits), rtol=1e-6)


def test_a_wrong_absent_class_costs():
    labels = np.zeros((1, 2, 2), "int32")
    right, wrong = np.zeros((1, 2, 2), "int32"), np.array([[[0, 0], [0, 1]]])
    np.testing.assert_allclose(DiceLoss()(labels, certain(right)), 0, atol=1e-6)
    value = DiceLoss()(labels, certain(wrong))
    np.testing.assert_allclose(value, 1 - 6 / 7, rtol=1e-5)


@pytest.mark.parametrize("void", [255, -1, 2])
@pytest.mark.parametrize("per_image", PER_IMAGE)
@pytest.mark.parametrize("loss_class", LOSSES)
def test_void_counts_like_weight_zero(loss_class, per_image, void):
    labels, logits, weights = random_masks()
    labels = np.minimum(labels, 1)
    expected = loss_class(per_image=per_image)(labels, logits, weights)
    loss = loss_class(per_image=per_image, ignore_class=void)
    value = loss(np.where(weights > 0, labels, void), logits)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("per_image", PER_IMAGE)
@pytest.mark.parametrize("loss_class", LOSSES)
@pytest.mark.parametrize("weights", [np.ones(4, "float32"), random_masks()[2]])
def test_a_row_of_weight_zero_counts_nowhere(loss_class, per_image, weights):
    labels, logits, _ = random_masks()
    loss = loss_class(per_image=per_image)
    value = loss(*filled_up(labels, logits, weights))
    np.testing.assert_allclose(value, loss(labels, logits, weights), rtol=1e-6)


@pytest.mark.parametrize("loss_class", LOSSES)
def test_images_count_with_their_weights(loss_class):
    labels, logits, _ = random_masks(shape=(2, 6, 5))
    loss = loss_class(per_image=True, ignore_class=255)
    labels[0, :2] = 255
    first, second = (float(loss(labels[i : i + 1], logits[i : i + 1])) for i in (0, 1))
    value = loss(labels, logits, np.array([1.0, 3.0]))
    np.testing.assert_allclose(value, (first + 3 * second) / 4, rtol=1e-6)


@pytest.mark.parametrize("per_image", PER_IMAGE)
@pytest.mark.parametrize("loss_class", LOSSES)
def test_all_void_is_zero_and_moves_nothing(loss_class, per_image):
    _, logits, _ = random_masks(shape=(1, 4, 4))
    labels = np.full((1, 4, 4), 255, "int32")
    loss = loss_class(per_image=per_image, ignore_class=255)
    assert float(loss(labels, logits)) == 0
    assert not gradient(loss, labels, logits).any()


@pytest.mark.parametrize("loss_class", LOSSES)
def test_void_pixels_get_no_gradient(loss_class):
    labels, logits, weights = random_masks(shape=(1, 4, 4))
    labels = np.where(weights > 0, labels, 255).astype("int32")
    slopes = gradient(loss_class(ignore_class=255), labels, logits)
    np.testing.assert_array_equal(slopes.any(-1), weights[0] > 0)


@pytest.mark.parametrize("loss_class", LOSSES)
def test_low_precision_logits_are_computed_in_float32(loss_class):
    labels, logits, _ = random_masks()
    low = keras.ops.cast(logits, "bfloat16")
    value = loss_class()(labels, low)
    expected = loss_class()(labels, keras.ops.cast(low, "float32"))
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    np.testing.assert_allclose(value, expected, rtol=1e-6)


@pytest.mark.parametrize("per_image", PER_IMAGE)
@pytest.mark.parametrize("loss_class", LOSSES)
def test_trains(loss_class, per_image):
    history = train_on_blobs(loss_class(per_image=per_image, ignore_class=255))
    assert history["loss"][-1] < 0.7 * history["loss"][0]


@pytest.mark.parametrize("loss_class", LOSSES)
def test_config_round_trip(loss_class):
    config = {
        "per_image": True,
        "ignore_class": 255,
        "reduction": "sum",
        "name": "loss",
    }
    loss = loss_class(**config)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is loss_class
    assert loss.get_config() == again.get_config() == config
    name = keras.saving.get_registered_name(loss_class)
    assert name == f"kerasseq>{loss_class.__name__}"


def test_masks_with_a_last_axis_are_refused():
    labels, logits, _ = random_masks()
    with pytest.raises(ValueError, match=r"masks\[\.\.\., 0\]"):
        DiceLoss()(labels[..., None], logits)


def test_masks_of_another_size_are_refused():
    labels, logits, _ = random_masks()
    with pytest.raises(ValueError, match=r"y_true.shape=\(4, 3, 5\)"):
        DiceLoss()(labels[:, :3], logits)


def test_weights_with_a_last_axis_are_refused():
    labels, logits, weights = random_masks()
    with pytest.raises(ValueError, match=r"sample_weight.shape=\(4, 6, 5, 1\)"):
        DiceLoss()(labels, logits, weights[..., None])
