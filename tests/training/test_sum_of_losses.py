import keras
import numpy as np
import pytest

from kerasseq.training import (
    BoundaryIoU,
    DiceLoss,
    ExpectedCalibrationError,
    FocalLoss,
    MeanIoU,
    PixelAccuracy,
    SumOfLosses,
)
from tests.training.small_masks import random_masks, train_on_blobs


def cross_entropy_and_dice(weights=None):
    cross_entropy = FocalLoss(0.0, label_smoothing=0.1, ignore_class=255)
    return SumOfLosses([cross_entropy, DiceLoss(ignore_class=255)], weights)


def test_is_the_weighted_sum():
    labels, logits, weights = random_masks()
    labels[:, 0] = 255
    loss = cross_entropy_and_dice([1.0, 0.5])
    first, second = (part(labels, logits, weights) for part in loss.losses)
    value = loss(labels, logits, weights)
    np.testing.assert_allclose(value, float(first) + 0.5 * float(second), rtol=1e-6)


def test_trains():
    history = train_on_blobs(cross_entropy_and_dice())
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_keras_drops_all_but_the_first_of_a_list():
    # The reason for the class; when this fails, Keras may do without it.
    def large(y_true, y_pred):
        return 1000 + keras.ops.mean(y_pred)

    labels, logits, _ = random_masks()
    model = keras.Sequential([keras.Input(logits.shape[1:]), keras.layers.Dense(3)])
    model.compile("sgd", [FocalLoss(), large])
    assert model.evaluate(logits, labels, verbose=0, return_dict=True)["loss"] < 100


def test_config_round_trip():
    loss = cross_entropy_and_dice([1.0, 0.5])
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert loss.get_config() == again.get_config()
    assert [type(part) for part in again.losses] == [FocalLoss, DiceLoss]
    labels, logits, weights = random_masks()
    assert float(again(labels, logits, weights)) == float(loss(labels, logits, weights))


def test_a_saved_model_goes_on_with_loss_and_metrics(tmp_path):
    labels, logits, _ = random_masks()
    model = keras.Sequential([keras.Input(logits.shape[1:]), keras.layers.Dense(3)])
    metrics = [
        MeanIoU(3, ignore_class=255),
        BoundaryIoU(3, width=1, ignore_class=255),
        PixelAccuracy(ignore_class=255),
        ExpectedCalibrationError(ignore_class=255),
    ]
    model.compile("adam", cross_entropy_and_dice(), weighted_metrics=metrics)
    model.fit(logits, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    first, second = (
        part.evaluate(logits, labels, verbose=0, return_dict=True)
        for part in (model, again)
    )
    assert first == second and len(first) == 5


@pytest.mark.parametrize("losses", [[], [None], ["mse"]])
def test_losses_must_be_losses(losses):
    with pytest.raises(ValueError, match="Received: losses="):
        SumOfLosses(losses)


def test_one_weight_for_each_loss():
    with pytest.raises(ValueError, match="for 2 losses"):
        cross_entropy_and_dice([1.0])
