"""The series of `recipes.forecast`: split, scaled and cut into windows."""

import numpy as np

import kerasseq
from kerasseq.lite import calendar
from recipes.forecast import scaling, sizes
from recipes.shared import artifacts, command_line, training_run

# Flags that may differ when a run is resumed.
UNFINGERPRINTED = ("history", "series", "quantize", "float_layers", "backtest")
# What forecasts each column from its own past.
OF_ONE_COLUMN = ("linear", "nlinear", "dlinear", "patch_transformer")
PARTS = ("train", "validation", "test")
# Rows of a season, by unit and step; else a day, if that is at least two rows.
_SEASONS = {("day", 1): 7, ("day", 7): 52, ("month", 1): 12, ("month", 3): 4}
_DAY = {"second": 86400, "minute": 1440}


def define_flags(flags):
    """Adds the flags about the series and their windows."""
    define = command_line.definer(flags, "data")
    text = "Columns to forecast; else all that hold numbers, or y of the long form."
    define("list", "targets", [], text)
    define("list", "covariates", [], "Columns that are only read.")
    text = "Column of dates; else found. 'none': rows are equally spaced."
    define("string", "date_column", None, text)
    text = "Format of the dates, as %d.%m.%Y; else ISO."
    define("string", "date_format", None, text)
    text = "What missing values become: the one before, or a line between neighbors."
    define("enum", "fill", None, text, ("forward", "linear"))
    text = "Training, validation and test: fractions, or counts of rows."
    define("list", "split", ["0.7", "0.1", "0.2"], text)
    define("integer", "look_back", 168, "Rows of a history.", **command_line.WIDTH)
    define("integer", "horizon", 24, "Rows of a forecast.", **command_line.WIDTH)
    text = (
        "Seasons that the model reads from the date, of day, week, year, or none; else "
        "what the data can tell, for models that read all columns together."
    )
    define("list", "calendar", None, text)
    text = "Rows of a season, for the seasonal-naive baseline; else by the frequency."
    define("integer", "season", None, text, **command_line.COUNT)
    text = "Several series: a scale for each, rather than one for all."
    define("bool", "scale_per_series", False, text)


def load(flags):
    """Loads, splits and scales the series, and cuts them into windows.

    Returns:
        A dict: `series`, a `kerasseq.data.TimeSeries`; `borders`, a list of what
        `kerasseq.data.split_borders` returns; `scaling`; `season`, rows; `periods`, of
        the calendar; `train`, `validation`, `test` (`kerasseq.data.WindowBatches`, in
        scaled units); and `settings`, what a resumed run must have in common.
    """
    series = load_series(flags)
    lengths = [len(one.values) for one in series.series]
    count = f"{len(lengths)} series, " if len(lengths) > 1 else ""
    every = f", every {series.frequency}" if series.frequency else ""
    targets = ", ".join(series.columns[: series.num_targets])
    print(f"data: {series.name}, {count}{sum(lengths)} rows{every}, targets {targets}")
    for note in series.notes:
        print(note)
    split = _numbers(flags.split)
    borders = sizes.find_borders(series, split)
    sizes.bound_windows(flags, series, borders)
    sizes.bound_patches(flags)
    found = {
        "series": series,
        "borders": borders,
        "scaling": scaling.fit(series, borders, flags.scale_per_series),
        "season": _season(flags, series.frequency),
        "periods": _periods(flags, series.frequency, borders),
    }
    found |= _batches(flags, found)
    contents = [np.ascontiguousarray(one.values) for one in series.series]
    settings = training_run.fingerprint(flags, contents, UNFINGERPRINTED)
    return found | {"settings": settings}


def load_series(flags, path=None, **options):
    """The series, a `kerasseq.data.TimeSeries`."""
    if flags.data.startswith("tfds:"):
        raise ValueError(
            f"Series are read from CSV files. Received: --data={flags.data}"
        )
    names = ("targets", "covariates", "date_column", "date_format", "fill")
    given = {name: flags[name].value for name in names} | options
    return kerasseq.data.load_time_series(path or flags.data, seed=flags.seed, **given)


def _numbers(texts):
    try:
        return [float(text) if "." in text else int(text) for text in texts]
    except ValueError as error:
        raise ValueError(
            "--split is three numbers, as 0.7,0.1,0.2 or 8640,2880,2880. Received: "
            f"--split={','.join(texts)}"
        ) from error


def _season(flags, frequency):
    """Rows of a season, within the history; 1 for none."""
    season = flags.season
    if season is None:
        unit, step = frequency or ("row", 1)
        day = _DAY.get(unit, 0) / step
        season = _SEASONS.get((unit, step), int(day) if day >= 2 else 1)
    if season > flags.look_back:
        print(f"season: no baseline of {season} rows, --look_back={flags.look_back}")
        return 1
    return season


def _periods(flags, frequency, borders):
    """Periods of the calendar that the model reads."""
    given = flags.calendar
    if given == ["none"] or (given is None and not reads_calendar(flags.arch)):
        return []
    if frequency is None:
        if given:
            raise ValueError(
                "There are no dates to read a calendar from; name their column with "
                f"--date_column. Received: --calendar={','.join(given)}"
            )
        return []
    num_rows = max(row["train"][1] for row in borders)
    found = kerasseq.data.calendar_periods(*frequency, num_rows)
    found = found if given is None else given
    if found:
        print(f"calendar: {', '.join(found)}")
    return found


def reads_calendar(arch):
    """Whether a model reads the calendar unless told otherwise."""
    return arch not in OF_ONE_COLUMN


def _batches(flags, found):
    """Windows of the three parts, in scaled units."""
    series, unit = found["series"], (found["series"].frequency or (None,))[0]
    scaled, features = [], []
    for number, one in enumerate(series.series):
        mean, scale = found["scaling"].of(number)
        scaled.append((one.values - mean) / scale)
        if found["periods"]:
            features.append(_features(one.dates, unit, found["periods"]))
    parts = {}
    for part in PARTS:
        parts[part] = kerasseq.data.WindowBatches(
            scaled,
            flags.look_back,
            flags.horizon,
            flags.batch_size,
            num_targets=series.num_targets,
            ranges=[row[part] for row in found["borders"]],
            calendar=features or None,
            shuffle=part == "train",
            seed=flags.seed,
        )
    counts = (f"{name} {part.num_windows:,}" for name, part in parts.items())
    print(f"windows: {', '.join(counts)}")
    return parts


def _features(dates, unit, periods):
    import keras

    counts = calendar.count(dates, unit).astype("int32")
    found = kerasseq.data.calendar_features(counts, unit, periods)
    return keras.ops.convert_to_numpy(found)


def place(data, part, number):
    """Number of the series of a window, and the row that its forecast begins with."""
    row = data[part].first_row(number)
    for index, one in enumerate(data["series"].series):
        if row < len(one.values):
            return index, row
        row -= len(one.values)
    raise IndexError(number)


def raw_inputs(data, part, number):
    """The inputs of the exported file for a window, and what came, in raw units.

    Returns:
        `(inputs, truth)`: a dict with a batch of one, and float64 `(horizon, targets)`.
    """
    series, batches = data["series"], data[part]
    index, row = place(data, part, number)
    one = series.series[index]
    history = one.values[row - batches.look_back : row]
    inputs = {"history": history[None].astype("float32")}
    if data["periods"]:
        count = calendar.count(one.dates[row - 1], series.frequency[0])
        inputs["time"] = np.array([[count]], "int32")
    if len(data["scaling"].mean) > 1:
        inputs["series"] = np.array([[index]], "int32")
    return inputs, one.values[row : row + batches.horizon, : series.num_targets]


def shown(dates):
    """Dates as people write them, all of them with as much of the time as one needs.

    Args:
        dates: `datetime64[s]` array.

    Returns:
        A list of strings, as `2024-07-01`, `2024-07-01 06:00` or with seconds.
    """
    dates = np.asarray(dates)
    units = ("D", "m", "s")
    unit = next(x for x in units if (dates == dates.astype(f"datetime64[{x}]")).all())
    texts = np.datetime_as_string(dates, unit=unit)
    return [str(text).replace("T", " ") for text in texts]


def app_files(flags, data):
    """What an app needs beside the model, `{name: bytes}`."""
    series, scales = data["series"], data["scaling"]
    names = [one.id for one in series.series]
    facts = {
        "columns": series.columns,
        "num_targets": series.num_targets,
        "quantiles": [float(x) for x in flags.quantiles],
        "frequency": series.frequency and list(series.frequency),
        "clock": series.clock,
        "season": data["season"],
        "calendar": data["periods"],
        "series": names if len(scales.mean) > 1 else [],
        "mean": scales.mean.tolist(),
        "scale": scales.scale.tolist(),
    }
    return {"series.json": artifacts.json_bytes(facts)}
