"""A forecaster in one file: the last rows of series in, the next ones out."""

import os
from typing import Any

import numpy as np

from kerasseq.lite import _runner, _task_files, calendar

_INPUTS = ("history", "time", "series")


class Forecaster:
    """Forecasts series with an exported file, in the units of the data.

    It needs NumPy and `ai_edge_litert`. An app does the same in its own language, and
    this class is what its developer ports:

    1. Read `series.json` from the zip at the end of the file: `columns` (targets
       first, then covariates), `num_targets`, `quantiles`, `frequency`, `series` and
       `clock`.
    2. Put the last `look_back` rows of the columns, oldest first, into the input
       `history`, float32 `(1, look_back, num_columns)`, in the units of the data: the
       file scales them itself.
    3. If there is an input `time`, int32 `(1, 1)`: the date of the last row as the
       number of whole units since the beginning of 1970, the unit being that of
       `frequency` ("second", "minute", "day" or "month"), on the clock of the data.
       With the `clock` "local" a date's offset from UTC is left out; else a date with
       one becomes that of UTC.
    4. If there is an input `series`, int32 `(1, 1)`: the place of the series in the
       list `series`.
    5. Run the signature `serve`. The output `forecast` is float32 `(1, horizon,
       num_targets)`, or with quantiles `(1, horizon, num_targets, num_quantiles)`, in
       the units of the data.

    A file of a model that reads row by row also has the signature `step`, see `stream`.

    Args:
        path: A `.tflite` file, or a folder that holds `model.tflite`.

    Attributes:
        runner: The `kerasseq.lite.Runner` of the file.
        columns: Names of the columns of a history, a list.
        targets: Names of those that are forecast, the first of them.
        quantiles: List of floats, empty for one value.
        look_back: Rows of a history.
        horizon: Rows of a forecast.
        frequency: `(unit, step)` from one row to the next, or `None`.
        series: Names of the series that the file knows the scale of, or `[]`.
        clock: What the dates of the data were on, if they had offsets from UTC:
            `"utc"`, or `"local"`, their own clock; else `None`.
        card: The content of `card.json`, `{}` if there is none.

    Raises:
        ValueError: If the file is no forecaster, or a part is missing or damaged.

    Example:

    ```python
    forecaster = lite.Forecaster("saved_models/published/forecast")
    forecaster(rows, time="2024-03-01 12:00")  # that of the last row
    ```
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        path = _task_files.find(path)
        self.runner = _runner.Runner(path)
        task = "a forecaster"
        found = _task_files.signature(
            self.runner, path, "serve", ("history",), ("forecast",), task
        )
        history, forecast = (
            found["inputs"]["history"][0],
            found["outputs"]["forecast"][0],
        )
        fits = len(history) == 3 and len(forecast) in (3, 4) and None not in history
        if not fits or not {*found["inputs"]} <= {*_INPUTS}:
            form = (
                "serve(history (1, look_back, columns)) -> forecast (1, horizon, ...)"
            )
            raise _task_files.not_a(task, path, self.runner, form)
        self._inputs = {*found["inputs"]}
        self.look_back, self.horizon = history[1], forecast[1]
        self._read_series(path, history[2], forecast[2:])
        self.card = _task_files.read_card(path)

    def _read_series(self, path, num_columns, sizes):
        facts = _task_files.read_json(path, "series.json", dict)
        try:
            self.columns = [str(name) for name in facts["columns"]]
            self.targets = self.columns[: int(facts["num_targets"])]
            self.quantiles = [float(quantile) for quantile in facts["quantiles"]]
            self.series = [str(name) for name in facts["series"]]
            self.clock: str | None = facts.get("clock")
            self.frequency: tuple[str, int] | None = None
            if facts["frequency"] is not None:
                unit, step = facts["frequency"]
                self.frequency = str(unit), int(step)
                calendar.UNITS[unit]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"series.json of {path} is damaged; export again. Received: {error!r}"
            ) from error
        expected = [len(self.targets)] + [len(self.quantiles)] * bool(self.quantiles)
        timed = "time" not in self._inputs or self.frequency is not None
        if (len(self.columns), expected) != (num_columns, [*sizes]) or not timed:
            raise ValueError(
                f"series.json of {path} and the model are of different models: "
                f"{len(self.columns)} columns, {num_columns} in the file. Export again."
            )

    def __call__(
        self, history: Any, time: Any = None, series: str | None = None
    ) -> np.ndarray:
        """Forecasts the rows after a history.

        Args:
            history: Array `(num_rows, num_columns)` of numbers, of at least
                `look_back` rows, oldest first; the last `look_back` of them count.
            time: Date of the last row, as for `kerasseq.lite.calendar.as_date`; only
                needed by a file that reads the calendar. Of a date with an offset
                from UTC the file takes the clock that it was trained on.
            series: Name of the series; only needed by a file with a scale for each.

        Returns:
            float32 array `(horizon, num_targets)`, or `(horizon, num_targets,
            num_quantiles)`.

        Raises:
            ValueError: If rows or columns are missing, a value is missing or infinite,
                or the date or the series is needed and not there.
        """
        rows = self._checked(history, self.look_back)
        inputs = {"history": rows[None]} | self._of_time(time) | self._of_series(series)
        return self.runner.run("serve", **inputs)["forecast"][0]

    def stream(self, series: str | None = None) -> "ForecasterStream":
        """Forecasts after each row of a series that comes row by row.

        Args:
            series: Name of the series; only needed by a file with a scale for each.

        Raises:
            ValueError: If the file has no signature `step`: its model needs the whole
                history. Or as for a call.
        """
        if "step" not in self.runner.signatures:
            raise ValueError(
                "The file has no signature `step`: its model needs the whole history. "
                "Train with --arch=gru or another cell, or seq2seq, and with "
                "--instance_normalization=none to forecast row by row."
            )
        return ForecasterStream(self, self._of_series(series))

    def dates(self, time: Any) -> np.ndarray:
        """The dates of a forecast, `datetime64[s]` `(horizon,)`.

        Args:
            time: Date of the last row of the history.

        Raises:
            ValueError: If it is no date, or the file was trained without dates.
        """
        if self.frequency is None:
            raise ValueError(
                "The file was trained on rows without dates; count the rows instead. "
                f"Received: time={time!r}"
            )
        return calendar.dates_after(self._date(time), *self.frequency, self.horizon)

    def _date(self, time):
        return calendar.as_date(time, "local" if self.clock == "local" else "utc")

    def _of_time(self, time):
        return {"time": self._count(time)} if "time" in self._inputs else {}

    def _of_series(self, series):
        return {"series": self._place(series)} if "series" in self._inputs else {}

    def _checked(self, history, num_rows):
        """The last rows of a history, checked."""
        try:
            with np.errstate(over="ignore"):  # told below
                rows = np.asarray(history, "float32")
        except (TypeError, ValueError) as error:
            raise ValueError(
                "`history` must be an array of numbers, a row for each date. "
                f"Received: {type(history).__name__} ({error})"
            ) from error
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ValueError(
                f"`history` must have the {len(self.columns)} columns "
                f"{', '.join(self.columns)} in this order, a row for each date. "
                f"Received: an array of shape {rows.shape}"
            )
        if len(rows) < num_rows:
            raise ValueError(
                f"`history` must have at least {num_rows} rows; give more, or "
                "export with a smaller --look_back. Received: "
                f"{len(rows)} rows"
            )
        rows = rows[-num_rows:]
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise ValueError(
                "`history` must hold finite numbers within float32; fill what is "
                "missing. Received: "
                f"{rows[row, column]} in the column {self.columns[column]!r}, row "
                f"{row} of the last {num_rows}"
            )
        return rows

    def _count(self, time):
        if time is None:
            raise ValueError(
                "The file reads the calendar: give the date of the last row with "
                "`time`, as '2024-03-01 12:00'. Received: time=None"
            )
        number = int(calendar.count(self._date(time), self.frequency[0]))
        if not -(2**31) <= number < 2**31:
            raise ValueError(
                f"`time` must be within 2**31 {self.frequency[0]}s of 1970. "
                f"Received: time={time!r}"
            )
        return np.array([[number]], "int32")

    def _place(self, series):
        if series not in self.series:
            shown = ", ".join(self.series[:10]) + ", ..." * (len(self.series) > 10)
            raise ValueError(
                "The file has a scale for each series that it was trained on: name one "
                f"of {shown} with `series`. For others train with instance "
                f"normalization. Received: series={series!r}"
            )
        return np.array([[self.series.index(series)]], "int32")


class ForecasterStream:
    """One series that comes row by row; made by `Forecaster.stream`.

    After `look_back` rows a forecast is that of `Forecaster` for these rows. Before,
    and after more, the model has read fewer or more rows than in training.

    Example:

    ```python
    stream = forecaster.stream()
    for row, time in zip(rows, times):
        stream(row, time=time)
    ```
    """

    def __init__(
        self, forecaster: Forecaster, constants: dict[str, np.ndarray]
    ) -> None:
        self._forecaster = forecaster
        self._step = forecaster.runner.stateful("step", **constants)

    def __call__(self, row: Any, time: Any = None) -> np.ndarray:
        """Forecasts the rows after the next row.

        Args:
            row: Numbers `(num_columns,)`.
            time: Date of the row; only needed by a file that reads the calendar.

        Returns:
            As of `Forecaster`.

        Raises:
            ValueError: As of `Forecaster`; the row does not count then.
        """
        history = self._forecaster._checked([row], 1)
        inputs = {"history": history[None]} | self._forecaster._of_time(time)
        return self._step(**inputs)["forecast"][0]

    def reset(self) -> None:
        """Begins a new series."""
        self._step.reset()
