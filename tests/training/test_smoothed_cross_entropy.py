import keras
import numpy as np
import pytest
from keras import ops

from kerasseq.training import SmoothedCrossEntropy


def random_batch(seed=0):
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, (3, 5, 7)).astype("float32")
    labels = random.integers(0, 7, (3, 5)).astype("int32")
    weights = random.integers(0, 2, (3, 5)).astype("float32")
    return labels, logits, weights


def test_two_tokens_by_hand():
    logits = np.log([[[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]])
    loss = SmoothedCrossEntropy(0.3)
    value = loss(np.array([[0, 0]]), logits, np.array([[1.0, 0.0]]))
    by_hand = -(0.8 * np.log(0.5) + 0.2 * np.log(0.25))
    np.testing.assert_allclose(ops.convert_to_numpy(value), by_hand, rtol=1e-6)


@pytest.mark.parametrize("label_smoothing", [0, 0.1, 0.9])
def test_equals_keras_on_one_hot(label_smoothing):
    labels, logits, weights = random_batch()
    twin = keras.losses.CategoricalCrossentropy(
        from_logits=True,
        label_smoothing=label_smoothing,
        reduction="mean_with_sample_weight",
    )
    value = SmoothedCrossEntropy(label_smoothing)(labels, logits, weights)
    expected = twin(np.eye(7, dtype="float32")[labels], logits, weights)
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_is_a_mean_per_real_token():
    labels, logits, weights = random_batch()
    per_token = SmoothedCrossEntropy(reduction=None)(labels, logits)
    value = SmoothedCrossEntropy()(labels, logits, weights)
    expected = np.sum(ops.convert_to_numpy(per_token) * weights) / weights.sum()
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_a_batch_without_tokens_is_zero():
    labels, logits, weights = random_batch()
    assert float(SmoothedCrossEntropy()(labels, logits, 0 * weights)) == 0


def test_low_precision_logits_are_computed_in_float32():
    labels, logits, _ = random_batch()
    value = SmoothedCrossEntropy()(labels, ops.cast(logits, "bfloat16"))
    rounded = ops.convert_to_numpy(ops.cast(ops.cast(logits, "bfloat16"), "float32"))
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    np.testing.assert_allclose(
        value, SmoothedCrossEntropy()(labels, rounded), rtol=1e-6
    )


@pytest.mark.parametrize("jit_compile", [True, False])
def test_trains(jit_compile):
    labels, logits, weights = random_batch()
    model = keras.Sequential([keras.Input((5, 7)), keras.layers.Dense(7)])
    model.compile("adam", SmoothedCrossEntropy(), jit_compile=jit_compile)
    before = model.evaluate(logits, labels, sample_weight=weights, verbose=0)
    model.fit(logits, labels, sample_weight=weights, epochs=5, verbose=0)
    assert model.evaluate(logits, labels, sample_weight=weights, verbose=0) < before


def test_config_round_trip():
    config = {"label_smoothing": 0.2, "reduction": "sum", "name": "loss"}
    loss = SmoothedCrossEntropy(**config)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert loss.get_config() == again.get_config() == config
    assert keras.saving.get_registered_name(type(again)) == (
        "kerasseq>SmoothedCrossEntropy"
    )


@pytest.mark.parametrize("label_smoothing", [-0.1, 1, 1.5, float("nan")])
def test_label_smoothing_out_of_range(label_smoothing):
    with pytest.raises(ValueError, match="label_smoothing="):
        SmoothedCrossEntropy(label_smoothing)


def test_one_hot_labels_are_refused():
    _, logits, _ = random_batch()
    with pytest.raises(ValueError, match="integer labels"):
        SmoothedCrossEntropy()(logits, logits)
