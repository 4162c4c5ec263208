import keras
import numpy as np
import pytest

import kerasseq
from kerasseq import convert
from kerasseq.convert import cloning
from kerasseq.layers import compiled_rnn
from tests.convert import stock_models

layers = keras.layers
sequential = stock_models.sequential


def stock_loops(model):
    found = [x for x in cloning.all_layers(model) if isinstance(x, layers.RNN)]
    return [x for x in found if not isinstance(x, compiled_rnn.CompiledRNNMixin)]


def classes_of(model):
    return [type(layer) for layer in cloning.all_layers(model)]


@pytest.mark.parametrize("name", stock_models.BUILDERS)
class TestThereAndBack:
    def test_from_keras(self, name):
        model = stock_models.build(name)
        assert stock_loops(model)
        converted = convert.from_keras(model)
        assert not stock_loops(converted)
        assert not converted.compiled
        for old, new in zip(model.get_weights(), converted.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        trainable = [len(x.trainable_weights) for x in (model, converted)]
        assert trainable[0] == trainable[1]
        inputs = stock_models.inputs_of(model)
        tolerance = 1e-2 if name == "half_precision" else 1e-5
        for old, new in zip(
            stock_models.outputs_of(model, inputs),
            stock_models.outputs_of(converted, inputs),
            strict=True,
        ):
            np.testing.assert_allclose(old, new, atol=tolerance)

    def test_to_keras(self, name):
        model = stock_models.build(name)
        back = convert.to_keras(convert.from_keras(model))
        assert classes_of(back) == classes_of(model)
        inputs = stock_models.inputs_of(model)
        for old, new in zip(
            stock_models.outputs_of(model, inputs),
            stock_models.outputs_of(back, inputs),
            strict=True,
        ):
            np.testing.assert_array_equal(old, new)


class TestCompiled:
    def test_compiled_alike_and_trains_under_xla(self):
        model = stock_models.build("masked")
        loss = keras.losses.Huber(delta=0.5)
        optimizer = keras.optimizers.SGD(0.25, momentum=0.5)
        model.compile(optimizer, loss, metrics=["mae"], jit_compile=True)
        converted = convert.from_keras(model)
        assert converted.optimizer.get_config() == optimizer.get_config()
        assert converted.optimizer is not optimizer
        assert converted.loss.get_config() == loss.get_config()
        assert converted.jit_compile
        before = converted.get_weights()
        ids = stock_models.inputs_of(model)
        converted.fit(ids, np.ones((len(ids), 4)), verbose=0)
        assert not np.array_equal(before[0], converted.get_weights()[0])
        np.testing.assert_array_equal(before[0], model.get_weights()[0])

    def test_function_of_the_caller(self):
        def own_loss(y_true, y_pred):
            return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

        model = stock_models.build("simple")
        model.compile("adam", own_loss)
        assert convert.from_keras(model).loss is own_loss

    def test_what_cannot_be_compiled_again(self):
        model = stock_models.build("simple")
        model.compile("adam", lambda y_true, y_pred: keras.ops.mean(y_pred))
        with pytest.warns(UserWarning, match="not compiled.*compile it"):
            assert not convert.from_keras(model).compiled

    def test_loss_of_kerasseq(self):
        model = sequential(kerasseq.layers.LSTM(4))
        model.compile("adam", kerasseq.training.SmoothedCrossEntropy())
        with pytest.warns(UserWarning, match="compile it.*SmoothedCrossEntropy"):
            assert not convert.to_keras(model).compiled
