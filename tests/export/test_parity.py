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
        differences = {"max_abs_diff": 1.5, "mean_abs_diff": 0.75, "spread": 3.0}
        assert result == {"samples": 4, **differences, "token_agreement": None}

    def test_equal_infinities(self):
        function = lambda x: np.array([-np.inf, np.inf, 1.0])  # noqa: E731
        assert figures({"y": function}, {"y": function})["max_abs_diff"] == 0.0

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite_on_one_side(self, value):
        result = figures({"y": lambda x: x}, {"y": lambda x: x + value})
        assert result["max_abs_diff"] == np.inf

    def test_integers(self):
        wanted = {"y": lambda x: x.astype("int32"), "score": lambda x: x}
        received = {
            "y": lambda x: np.minimum(x, 2).astype("int32"),
            "score": lambda x: x * (1 + 9 * (x > 2)),
        }
        result = figures(wanted, received)
        differences = {"max_abs_diff": 0.0, "mean_abs_diff": 0.0, "spread": 3.0}
        assert result == {"samples": 4, **differences, "token_agreement": 0.75}

    def test_outputs_that_do_not_vary_prove_little(self):
        same = {"serve": figures({"y": np.zeros_like}, {"y": np.zeros_like})}
        assert same["serve"]["spread"] == 0.0
        (doubt,) = parity.comparison_warnings(same, 1e-4)
        assert "'serve'" in doubt and "proves little" in doubt
        moving = {"y": lambda x: x, "state": np.zeros_like}
        assert not parity.comparison_warnings({"serve": figures(moving, moving)}, 1e-4)
        tokens = {"y": lambda x: x.astype("int32")}
        assert not parity.comparison_warnings({"serve": figures(tokens, tokens)}, 1e-4)

    def test_an_output_without_elements(self):
        empty = {"y": lambda x: x[:0]}
        assert figures(empty, empty)["spread"] == 0.0

    def test_one_sample_has_no_spread(self):
        one = engine(y=lambda x: x)
        result = parity.compare(one, one, {"serve": CASES["serve"][:1]})
        assert result["serve"]["spread"] is None and not parity.comparison_warnings(
            result, 1e-4
        )

    def test_overall(self):
        assert parity.largest({"a": {"max_abs_diff": None}}) == 0.0


class TestErrors:
    def test_out_of_bounds(self):
        bad = {"a": {"samples": 4, "max_abs_diff": 0.1, "token_agreement": 0.75}}
        parity.check(bad, 0.2, 0.5, "The file")
        with pytest.raises(ValueError, match="agree on 0.7500 of 4 samples"):
            parity.check(bad, 0.2, 1.0, "The file")
        with pytest.raises(ValueError, match="difference over 4 samples is 0.1"):
            parity.check(bad, 0.01, 0.5, "The file")
