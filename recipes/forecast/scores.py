"""Errors of forecasts, added up batch by batch, and those of repeating what was."""

import numpy as np


class Sums:
    """Sums over windows, so that no forecast is kept."""

    def __init__(self):
        self._count, self._sums = 0, {}

    def add(self, truth, forecast, scale, quantiles=()):
        """Adds some windows.

        Args:
            truth: Scaled values, `(num, horizon, targets)`.
            forecast: Likewise, or with one axis more, the quantiles.
            scale: What makes raw units of them, `(num, 1, targets)`.
            quantiles: List of the quantiles.
        """
        errors = median(forecast, quantiles) - truth
        raw = errors * scale
        self._add("mse", errors**2)
        self._add("mae", np.abs(errors))
        self._add("raw_mse", raw**2)
        self._add("raw_mae", np.abs(raw))
        if len(quantiles):
            above = truth[..., None] <= forecast
            self._add("below", above)
            distances = truth[..., None] - forecast
            levels = np.asarray(quantiles)
            pinball = np.maximum(levels * distances, (levels - 1) * distances)
            self._add("pinball", pinball.mean(-1))
            inside = (forecast[..., 0] <= truth) & (truth <= forecast[..., -1])
            self._add("coverage", inside)
        self._count += len(truth)

    def _add(self, name, values):
        self._sums[name] = self._sums.get(name, 0.0) + values.sum(axis=0)

    def scores(self, targets=()):
        """Mean errors, scaled and raw, and those of each target, a dict.

        `mse` and `mae` are in scaled units, `raw_mse` and `raw_mae` in those of the
        data, all of them means over steps and targets; `mae_by_target` is raw.
        """
        names = ("mse", "mae", "raw_mse", "raw_mae")
        found = {name: float(np.mean(self._mean(name))) for name in names}
        if len(targets) > 1:
            of_each = self._mean("raw_mae").mean(axis=0)
            found["raw_mae_by_target"] = dict(
                zip(targets, of_each.tolist(), strict=True)
            )
        return found

    def of_quantiles(self, quantiles):
        """Mean pinball loss, coverage of the outer quantiles, and of each, a dict."""
        if not len(quantiles):
            return {}
        below = self._mean("below").mean(axis=(0, 1)).tolist()
        names = [f"{quantile:g}" for quantile in quantiles]
        found = {"pinball": float(np.mean(self._mean("pinball")))}
        if len(quantiles) > 1:
            found["coverage"] = float(np.mean(self._mean("coverage")))
            found["coverage_expected"] = round(quantiles[-1] - quantiles[0], 6)
        return found | {"values_below_quantile": dict(zip(names, below, strict=True))}

    def of_steps(self):
        """The mean absolute error of each step, a list."""
        return self._mean("mae").mean(axis=-1).tolist()

    def _mean(self, name):
        return self._sums[name] / self._count


def median(forecast, quantiles):
    """The forecast of the median; of a forecast without quantiles itself."""
    return forecast[..., list(quantiles).index(0.5)] if len(quantiles) else forecast


def repeat(history, season, shape):
    """The last season of each history again and again: seasonal naive.

    Args:
        history: Array `(num, look_back, columns)`.
        season: Rows of a season; 1 repeats the last value.
        shape: `(horizon, targets)` of a forecast.

    Returns:
        Array `(num, horizon, targets)`.
    """
    horizon, num_targets = shape
    last = history[:, -season:, :num_targets].astype("float64")
    return last[:, np.arange(horizon) % season]
