"""What a conversion keeps, warns of, or refuses is said by name."""

import keras
import numpy as np
import pytest

import kerasseq
from kerasseq import convert
from tests.convert import stock_models

layers = keras.layers
sequential, UNITS = stock_models.sequential, stock_models.UNITS


class TestKept:
    def test_kerasseq_model_is_copied(self):
        model = sequential(kerasseq.layers.LSTM(UNITS))
        copy = convert.from_keras(model)
        assert copy is not model
        assert type(copy.layers[0]) is kerasseq.layers.LSTM

    def test_irnn_is_a_simple_rnn(self):
        stock = convert.to_keras(sequential(kerasseq.layers.IRNN(UNITS)))
        assert type(stock.layers[0]) is layers.SimpleRNN
        assert stock.layers[0].activation is keras.activations.relu

    def test_layers_that_stay_are_named(self):
        class Hidden(layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.inner = layers.LSTM(2, name="inside")

            def build(self, input_shape):
                self.inner.build(input_shape)

            def call(self, inputs):
                return self.inner(inputs)

        model = sequential(layers.ConvLSTM1D(2, 2, name="conv"), inputs=(2, 4, 3))
        with pytest.warns(UserWarning, match="kept as .*'conv' of class ConvLSTM1D"):
            convert.from_keras(model)
        with pytest.warns(UserWarning, match="kept as .*'inside' of class LSTM"):
            convert.from_keras(sequential(Hidden()))

    def test_model_that_refuses_random_inputs(self):
        class Picky(layers.Layer):
            def compute_output_spec(self, inputs):
                return keras.KerasTensor(inputs.shape)

            def call(self, inputs):
                raise TypeError("not these")

        inputs = keras.Input((stock_models.LENGTH, stock_models.FEATURES))
        model = keras.Model(inputs, layers.LSTM(2)(Picky()(inputs)))
        with pytest.warns(UserWarning, match="(?s)not compared.*not these"):
            convert.from_keras(model)


@keras.saving.register_keras_serializable(package="tests")
def registered(x):
    return keras.ops.tanh(x) / 2


class TestActivations:
    def test_custom_activation_is_kept_and_named(self):
        def local(x):
            return keras.ops.tanh(x) / 3

        model = sequential(
            layers.LSTM(UNITS, activation=local, return_sequences=True, name="first"),
            layers.GRU(UNITS, activation=registered, name="second"),
        )
        with pytest.warns(UserWarning, match="'first' of class LSTM.*is local"):
            converted = convert.from_keras(model)
        assert converted.layers[0].activation is local
        assert converted.layers[1].activation is registered

    def test_lambda(self):
        model = sequential(layers.SimpleRNN(2, activation=lambda x: x / 2))
        with pytest.raises(ValueError, match="activation a function with a name"):
            convert.from_keras(model)

    def test_function_named_as_one_of_keras(self):
        def relu(x):
            return keras.ops.tanh(x)

        model = sequential(layers.SimpleRNN(2, activation=relu))
        with pytest.raises(ValueError, match="returns other outputs.*difference"):
            convert.from_keras(model)


class TestErrors:
    @pytest.mark.parametrize("function", [convert.from_keras, convert.to_keras])
    def test_no_built_model(self, function):
        with pytest.raises(ValueError, match="loaded first.*load_model.*'a.keras'"):
            function("a.keras")
        with pytest.raises(ValueError, match="Only a `keras.Model` can be converted"):
            function(layers.LSTM(2))
        with pytest.raises(ValueError, match="not built"):
            function(keras.Sequential([layers.LSTM(2)]))

    def test_stateful(self):
        inputs = keras.Input((4, 3), batch_size=1)
        model = keras.Model(inputs, layers.LSTM(2, stateful=True, name="s")(inputs))
        with pytest.raises(ValueError, match="stateful=False.*'s' of class LSTM"):
            convert.from_keras(model)

    def test_no_config(self):
        class NoConfig(keras.Model):
            def __init__(self, table):
                super().__init__()
                self.recurrent = layers.LSTM(len(table))

            def call(self, inputs):
                return self.recurrent(inputs)

        model = NoConfig(np.ones(3))
        model(np.ones((1, 2, 2)))
        with pytest.raises(ValueError, match="class NoConfig.*get_config"):
            convert.from_keras(model)

    def test_no_stock_class(self):
        model = sequential(
            kerasseq.layers.StackedRNN(2, return_sequences=True, name="stack"),
            kerasseq.layers.ZoneoutLSTM(2, name="zone"),
        )
        named = "'stack' of class StackedRNN, 'zone' of class ZoneoutLSTM"
        with pytest.raises(ValueError, match=f"no twin.*Received: {named}"):
            convert.to_keras(model)

    def test_made_by_a_class_of_the_caller(self):
        class Own(kerasseq.layers.LSTM):
            pass

        model = sequential(Own(2, name="own"))
        with pytest.raises(ValueError, match="class of yours.*'own' of class Own"):
            convert.to_keras(model)
