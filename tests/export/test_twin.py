import keras
import numpy as np
import pytest

from kerasseq.convert import cloning
from kerasseq.export import twin as twin_lib

layers = keras.layers


def policies(model):
    return {layer.dtype_policy.name for layer in cloning.all_layers(model)}


class Scale(layers.Layer):
    """Not registered, and a sub-layer in it."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.inner = layers.LSTM(2)

    def build(self, input_shape):
        self.inner.build(input_shape)

    def call(self, inputs):
        return self.factor * self.inner(inputs)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


class TestBasics:
    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16"])
    def test_float32_everywhere(self, policy):
        inner = keras.Sequential(
            [keras.Input((5, 3), dtype="float16"), layers.LSTM(4, dtype=policy)]
        )
        inputs = keras.Input((5, 3))
        x = layers.Bidirectional(layers.GRU(3, return_sequences=True, dtype=policy))(
            keras.ops.cast(inputs, "bfloat16")
        )
        x = layers.LayerNormalization(dtype=policy)(x)
        x = layers.TimeDistributed(layers.Dense(3, dtype=policy))(x)
        model = keras.Model(inputs, inner(x))
        twin = twin_lib.portable_twin(model)
        assert policies(twin) == {"float32"}
        assert {w.dtype for w in twin.variables} <= {"float32", "uint32", "int64"}
        assert policy in policies(model)
        assert twin(np.ones((1, 5, 3))).dtype == "float32"

    def test_no_cudnn(self):
        inputs = keras.Input((5, 3))
        x = layers.Bidirectional(layers.GRU(3, return_sequences=True))(inputs)
        model = keras.Model(inputs, keras.Sequential([layers.LSTM(4)])(x))
        for is_twin, net in ((False, model), (True, twin_lib.portable_twin(model))):
            loops = [x for x in cloning.all_layers(net) if hasattr(x, "use_cudnn")]
            assert len(loops) >= 3
            assert all((layer.use_cudnn is False) == is_twin for layer in loops)

    def test_integer_inputs_stay(self):
        model = keras.Sequential(
            [keras.Input((5,), dtype="int32"), layers.Embedding(7, 2)]
        )
        assert twin_lib.portable_twin(model).inputs[0].dtype == "int32"


class TestNumbers:
    def test_same_outputs_and_own_weights(self):
        model = keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(3),
                layers.BatchNormalization(),
                layers.Lambda(lambda x: 2.0 * x),
                layers.Dropout(0.5),
            ]
        )
        model.compile("adam", "mse")
        x = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
        model.fit(x, x[:, :3], verbose=0)
        twin = twin_lib.portable_twin(model)
        np.testing.assert_array_equal(twin(x), model(x))
        before = np.array(model(x))
        twin.layers[0].kernel.assign_add(np.ones((4, 3)))
        np.testing.assert_array_equal(model(x), before)

    def test_class_that_is_not_registered(self):
        inputs = keras.Input((4, 3))
        model = keras.Model(inputs, Scale(3.0)(inputs))
        x = np.ones((1, 4, 3), "float32")
        twin = twin_lib.portable_twin(model)
        np.testing.assert_allclose(twin(x), model(x), atol=1e-6)
        assert not [
            layer
            for layer in cloning.all_layers(twin)
            if getattr(layer, "use_cudnn", False)
        ]


class TestErrors:
    def test_no_model(self):
        with pytest.raises(ValueError, match="Only a `keras.Model`.*Received"):
            twin_lib.portable_twin(layers.Dense(2))

    def test_not_built(self):
        model = keras.Sequential([layers.Dense(2)])
        with pytest.raises(ValueError, match="is not built.*class Sequential"):
            twin_lib.portable_twin(model)

    def test_no_config(self):
        class NoConfig(keras.Model):
            def __init__(self, table):
                super().__init__()
                self.dense = layers.Dense(len(table))

            def call(self, inputs):
                return self.dense(inputs)

        model = NoConfig(np.ones(3))
        model(np.ones((1, 2)))
        with pytest.raises(ValueError, match="class NoConfig"):
            twin_lib.portable_twin(model)

    def test_quantized(self):
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
        model.layers[0].quantize("int8")
        with pytest.raises(ValueError, match="quantized.*'dense.*class Dense"):
            twin_lib.portable_twin(model)

    def test_stateful(self):
        inputs = keras.Input((4, 3), batch_size=1)
        model = keras.Model(inputs, layers.LSTM(2, stateful=True)(inputs))
        with pytest.raises(ValueError, match="stateful layer.*exported.*class LSTM"):
            twin_lib.portable_twin(model)
