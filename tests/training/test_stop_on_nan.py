import keras
import numpy as np
import pytest

from kerasseq.training import StopOnNaN


def fit(inputs, validation_inputs, epochs=2):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse", jit_compile=True)
    return model.fit(
        inputs,
        np.zeros_like(inputs),
        batch_size=1,
        shuffle=False,
        epochs=epochs,
        verbose=0,
        validation_data=(validation_inputs, np.zeros_like(validation_inputs)),
        callbacks=[StopOnNaN()],
    )


def test_finite_losses_pass():
    history = fit(np.ones((2, 1)), np.ones((2, 1)))
    assert len(history.epoch) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_stops_at_the_step(value):
    inputs = np.array([[1], [value], [1]], "float32")
    with pytest.raises(FloatingPointError, match="epoch 1, step 2.*loss=(nan|inf)$"):
        fit(inputs, np.ones((1, 1)))


def test_stops_at_the_validation_loss():
    with pytest.raises(FloatingPointError, match="`val_loss` is not finite at epoch 1"):
        fit(np.ones((2, 1)), np.array([[np.nan]]))


def test_message_is_one_line():
    with pytest.raises(FloatingPointError) as error:
        StopOnNaN().on_train_batch_end(16, {"loss": float("nan")})
    assert "\n" not in str(error.value)
    assert "epoch 1, step 17" in str(error.value)
