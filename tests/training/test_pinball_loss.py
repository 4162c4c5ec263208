import numpy as np
import pytest

from kerasseq import training


class TestBasics:
    def test_any_axes(self):
        loss = training.PinballLoss([0.2, 0.6])
        for shape in ((5,), (5, 4), (5, 4, 3)):
            values = np.zeros(shape, "float32")
            assert float(loss(values, np.zeros((*shape, 2)))) == 0

    def test_weights_of_steps(self):
        loss, values = training.PinballLoss([0.5]), np.zeros((2, 3, 4), "float32")
        forecasts = np.ones((2, 3, 4, 1), "float32")
        forecasts[0] = 3
        weights = np.zeros((2, 3), "float32")
        weights[0, 1] = 1
        assert float(loss(values, forecasts, weights)) == 1.5


class TestNumbers:
    def test_by_hand(self):
        loss = training.PinballLoss([0.1, 0.5])
        found = loss(np.array([1.0, 0.0]), np.array([[0.0, 3.0], [2.0, 0.0]]))
        # 0.1 * 1 and 0.5 * 2; 0.9 * 2 and 0
        assert float(found) == pytest.approx((0.1 + 1.0 + 1.8) / 4)

    def test_is_smallest_at_the_quantile(self):
        values = np.random.default_rng(0).gamma(2.0, size=2000).astype("float32")
        loss, places = training.PinballLoss([0.8]), np.linspace(0, 8, 161)
        losses = [float(loss(values, np.full((2000, 1), x))) for x in places]
        best = places[int(np.argmin(losses))]
        assert best == pytest.approx(np.quantile(values, 0.8), abs=0.06)


class TestErrors:
    @pytest.mark.parametrize("quantiles", [[], [0.0], [1.0], [0.5, 0.5], [0.9, 0.1]])
    def test_quantiles(self, quantiles):
        with pytest.raises(ValueError, match="between 0 and 1 in ascending order"):
            training.PinballLoss(quantiles)

    def test_shapes(self):
        loss = training.PinballLoss([0.1, 0.9])
        for shape in ((3, 2), (3, 2, 3), (3, 2, 2, 2)):
            with pytest.raises(ValueError, match="one more, that of the quantiles"):
                loss(np.zeros((3, 2)), np.zeros(shape))
