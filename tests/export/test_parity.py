import numpy as np
import pytest

from kerasseq.export import parity

CASES = {"serve": [{"x": np.array([float(i)])} for i in range(4)]}


def engine(**outputs):
    return lambda name, case: {
        key: np.asarray(function(case["x"])) for key, function in outputs.items()
    }


def figures(wanted, received):
    return parity.compare(engine(**wanted), engine(**received), CASES)["serve"]


class TestNumbers:
    def test_floats(self):
        result = figures({"y": lambda x: x}, {"y": lambda x: x * 1.5})
        of_output = result.pop("outputs")["y"]
        assert result == {
            "samples": 4,
            "token_agreement": None,
            "spread": 3.0,
            **of_output,
        }
        error = np.sqrt(np.mean([0, 0.25, 1, 2.25])) / np.std([0, 1, 2, 3])
        assert of_output == {
            "max_abs_diff": 1.5,
            "mean_abs_diff": 0.75,
            "max_scaled_diff": 0.5,
            "relative_error": pytest.approx(error),
            "correlation": pytest.approx(1.0),
        }

    def test_equal_infinities(self):
        function = lambda x: np.array([-np.inf, np.inf, 1.0]) * x  # noqa: E731
        cases = {"serve": CASES["serve"][1:]}
        result = parity.compare(engine(y=function), engine(y=function), cases)["serve"]
        assert result["max_abs_diff"] == result["max_scaled_diff"] == 0.0
        assert result["correlation"] == pytest.approx(1.0)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite_on_one_side(self, value):
        result = figures({"y": lambda x: x}, {"y": lambda x: x + value})
        assert result["max_abs_diff"] == result["max_scaled_diff"] == np.inf

    def test_another_shape(self):
        result = figures({"y": lambda x: x}, {"y": lambda x: x[:0]})
        assert result["max_abs_diff"] == np.inf

    def test_integers(self):
        wanted = {"y": lambda x: x.astype("int32"), "score": lambda x: x}
        received = {
            "y": lambda x: np.minimum(x, 2).astype("int32"),
            "score": lambda x: x * (1 + 9 * (x > 2)),
        }
        result = figures(wanted, received)
        assert result["token_agreement"] == 0.75
        assert result["max_abs_diff"] == result["mean_abs_diff"] == 0.0
        assert list(result["outputs"]) == ["score"]

    def test_where_all_tokens_differ_nothing_is_said_of_floats(self):
        tokens = {"y": lambda x: x.astype("int32"), "score": lambda x: x}
        others = {"y": lambda x: 7 + x.astype("int32"), "score": lambda x: x}
        result = figures(tokens, others)
        assert result["max_abs_diff"] is None and result["token_agreement"] == 0.0

    @pytest.mark.parametrize("factor", [1e5, 1.0, 1e-5])
    def test_differences_are_relative_to_large_outputs(self, factor):
        """Also to small elements among large ones; not to small outputs."""
        size = lambda x: factor * np.array([1.0, 1.0, 1e-3]) * (1 + x)  # noqa: E731
        off = lambda x: size(x) + 1e-4 * factor  # noqa: E731
        result = figures({"y": size}, {"y": off})
        assert result["max_abs_diff"] == pytest.approx(1e-4 * factor)
        assert result["max_scaled_diff"] == pytest.approx(
            1e-4 * factor / max(1.0, 1.5 * factor), rel=0.01
        )

    def test_one_huge_element_hides_nothing(self):
        masked = lambda x: np.array([-1e9, x[0], 1.0, 2.0])  # noqa: E731
        off = lambda x: masked(x) + [0, 0, 0.5, 0]  # noqa: E731
        assert figures({"y": masked}, {"y": off})["max_scaled_diff"] > 0.2

    def test_outputs_that_do_not_vary_prove_little(self):
        same = {"serve": figures({"y": np.zeros_like}, {"y": np.zeros_like})}
        assert same["serve"]["spread"] == 0.0
        assert same["serve"]["correlation"] is None
        (doubt,) = parity.comparison_warnings(same, 1e-4)
        assert "'serve'" in doubt and "proves little" in doubt
        moving = {"y": lambda x: x, "state": np.zeros_like}
        assert not parity.comparison_warnings({"serve": figures(moving, moving)}, 1e-4)
        tokens = {"y": lambda x: x.astype("int32")}
        assert not parity.comparison_warnings({"serve": figures(tokens, tokens)}, 1e-4)

    def test_a_constant_offset_is_named(self):
        good, bad = {"y": lambda x: x + 0.01}, {"y": lambda x: x + 2}
        result = {"serve": figures({"y": lambda x: x}, bad)}
        (doubt,) = parity.error_warnings(result, "model_int8.tflite")
        assert "'y' of signature 'serve' is off by 1.79" in doubt
        result = {"serve": figures({"y": lambda x: x}, good)}
        assert not parity.error_warnings(result, "model_int8.tflite")

    def test_an_output_without_elements(self):
        empty = {"y": lambda x: x[:0]}
        result = figures(empty, empty)
        assert result["spread"] == result["max_abs_diff"] == 0.0

    def test_one_sample_has_no_spread(self):
        one = engine(y=lambda x: x)
        result = parity.compare(one, one, {"serve": CASES["serve"][:1]})
        assert result["serve"]["spread"] is None and not parity.comparison_warnings(
            result, 1e-4
        )

    def test_the_worst(self):
        figure = {"max_abs_diff": 1.0, "mean_abs_diff": 0.5, "max_scaled_diff": 1.0}
        figure |= {"relative_error": None, "correlation": 0.5}
        better = {key: 0.1 for key in figure} | {"correlation": 0.9}
        assert parity.worst({"a": figure, "b": better}) == figure | {
            "relative_error": 0.1
        }
        assert set(parity.worst({}).values()) == {None}


class TestErrors:
    def test_the_model_itself_returns_nan(self):
        nan = engine(y=lambda x: np.where(x == 2, np.nan, x))
        with pytest.raises(ValueError, match="model returns NaN.*'y'.*sample 2 of 4"):
            parity.compare(nan, nan, CASES)

    def test_out_of_bounds(self):
        wanted = {"y": lambda x: x, "ids": lambda x: x.astype("int32")}
        received = {
            "y": lambda x: x + 0.1,
            "ids": lambda x: np.minimum(x, 2).astype("int32"),
        }
        bad = {"a": figures(wanted, received)}
        parity.check(bad, 0.2, 0.5, "The file")
        with pytest.raises(ValueError, match="agree on 0.7500 of 4 samples"):
            parity.check(bad, 0.2, 1.0, "The file")
        with pytest.raises(ValueError, match="output 'y' over 4 samples is 0.1"):
            parity.check(bad, 0.01, 0.5, "The file")
