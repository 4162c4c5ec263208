import keras
import numpy as np
import pytest

from kerasseq.export import samples as samples_lib
from kerasseq.export import signatures as signatures_lib


def model(length=4):
    inputs = keras.Input((length, 2), name="x")
    return keras.Model(inputs, keras.layers.Dense(1, name="y")(inputs))


def entry(function=lambda x: {"y": 2 * x}, specs=None):
    table = {"demo": (function, specs or {"x": ((2,), "float32")})}
    return lambda model: table


class TestBasics:
    def test_serve(self):
        traced = signatures_lib.trace_all(model())
        assert traced["serve"].specs == {"x": ((1, 4, 2), "float32")}
        assert traced["serve"].outputs == ["y"]

    def test_serve_sequential(self):
        net = keras.Sequential([keras.Input((3,), name="x"), keras.layers.ReLU()])
        traced = signatures_lib.trace_all(net)["serve"]
        result = traced.run({"x": np.array([[-1, 0, 1]], "float32")})
        assert result[net.layers[-1].name].tolist() == [[0, 0, 1]]

    def test_random_samples(self):
        specs = {"f": ((2, 3), "float32"), "i": ((9,), "int32"), "b": ((1,), "bool")}
        first, again = (
            samples_lib.random_samples(specs),
            samples_lib.random_samples(specs),
        )
        assert len(first) == 3
        assert set(np.concatenate([case["i"] for case in first])) == {1, 2}
        for one, other in zip(first, again, strict=True):
            for name, (shape, dtype) in specs.items():
                assert one[name].shape == shape and one[name].dtype == dtype
                np.testing.assert_array_equal(one[name], other[name])

    def test_the_last_random_sample_is_padded(self):
        specs = {"ids": ((2, 9), "int32"), "pixels": ((2, 9), "uint8")}
        *others, last = samples_lib.random_samples(specs)
        assert (last["ids"] == 0).sum(-1).tolist() == [2, 2]
        assert (last["ids"][:, -2:] == 0).all()
        assert all(case["ids"].all() for case in others) and last["pixels"].any()

    def test_sizes_that_the_model_leaves_open(self):
        table = signatures_lib.trace_all(
            model(None), batch_size=3, input_shapes={"x": (7, 2)}
        )
        assert table["serve"].specs == {"x": ((3, 7, 2), "float32")}


class TestNumbers:
    def test_run(self):
        traced = signatures_lib.trace_all(None, entry())
        result = traced["demo"].run({"x": np.array([1, 2], "float32")})
        assert result["y"].tolist() == [2.0, 4.0]


class TestErrors:
    def test_dynamic_length(self):
        with pytest.raises(ValueError, match=r"--input_shape x=24,2\).*\(24, 2\)"):
            signatures_lib.trace_all(model(None))

    def test_strings(self):
        with pytest.raises(ValueError, match="strings.*TextVectorization.*'x'"):
            signatures_lib.trace_all(None, entry(specs={"x": ((1,), "string")}))

    @pytest.mark.parametrize("shapes", [{"y": (4, 2)}, {"x": (4,)}, {"x": (4, 3)}])
    def test_shapes_that_do_not_fit(self, shapes):
        with pytest.raises(ValueError, match="must fit the model's inputs"):
            signatures_lib.trace_all(model(None), input_shapes=shapes)

    def test_a_callable_says_all_shapes(self):
        with pytest.raises(ValueError, match="batch_size=2"):
            signatures_lib.trace_all(None, entry(), batch_size=2)

    def test_dynamic_spec(self):
        with pytest.raises(ValueError, match="Input 'x' of signature 'demo'.*None"):
            signatures_lib.trace_all(None, entry(specs={"x": ((None,), "float32")}))

    def test_dynamic_output(self):
        def function(x):
            return {"y": keras.ops.nonzero(x)[0]}

        with pytest.raises(ValueError, match="Output 'y'.*not fixed"):
            signatures_lib.trace_all(None, entry(function))

    def test_an_input_that_no_caller_can_pass(self):
        with pytest.raises(ValueError, match="named 'self'"):
            signatures_lib.trace_all(None, entry(specs={"self": ((1,), "float32")}))

    def test_a_layer_with_a_table(self):
        inputs = keras.Input((1,), dtype="int32", name="x")
        lookup = keras.layers.IntegerLookup(vocabulary=[10, 20, 30], name="codes")
        with pytest.raises(ValueError, match="table of a lookup layer.*codes"):
            signatures_lib.trace_all(keras.Model(inputs, lookup(inputs)))

    def test_a_layer_that_fails_is_named(self):
        class Picky(keras.layers.Layer):
            def call(self, x):
                raise RuntimeError("not today\nnor tomorrow")

            def compute_output_shape(self, shape):
                return shape

        inputs = keras.Input((1,), name="x")
        net = keras.Model(inputs, Picky(name="bad")(inputs))
        with pytest.raises(
            ValueError, match="in layer 'bad' of class Picky: not today"
        ):
            signatures_lib.trace_all(net)
        assert keras.config.is_traceback_filtering_enabled()

    @pytest.mark.parametrize(
        "signatures, message",
        [
            (lambda model: {}, "at least one entry"),
            (lambda model: {"a": 1}, "must be a tuple"),
            (lambda model: {"a b": (print, {"x": ((1,), "int32")})}, "identifier"),
            (lambda model: {"a": (print, {})}, "needs the specifications"),
            (entry(lambda x: x), "must return a dict of named tensors"),
        ],
    )
    def test_tables(self, signatures, message):
        with pytest.raises(ValueError, match=message):
            signatures_lib.trace_all(None, signatures)

    @pytest.mark.parametrize(
        "samples, message",
        [
            ({"other": []}, "name signatures of .'demo'"),
            ({"demo": []}, "at least one dict"),
            ({"demo": [{"z": [1.0, 2.0]}]}, "missing .'x'., unknown .'z'."),
            ({"demo": [{"x": [1.0]}]}, "shape"),
        ],
    )
    def test_samples(self, samples, message):
        traced = signatures_lib.trace_all(None, entry())
        with pytest.raises(ValueError, match=message):
            samples_lib.checked(traced, samples)
