"""The sizes of windows and patches that the data allow."""

import kerasseq
from recipes.shared import command_line

# A series with a smaller part of the usual number of rows does not make all windows
# short: it is refused.
_SHORT = 0.25


def find_borders(series, split):
    """Where the parts of each series begin and end.

    Args:
        series: A `kerasseq.data.TimeSeries`.
        split: As for `kerasseq.data.split_borders`.

    Returns:
        A list of what it returns.

    Raises:
        ValueError: as it does, naming the series.
    """
    found = []
    for one in series.series:
        try:
            found.append(kerasseq.data.split_borders(len(one.values), split))
        except ValueError as error:
            name = f"series {one.id!r}: " if one.id else ""
            raise ValueError(f"{name}{error}") from error
    return found


def bound_windows(flags, series, borders):
    """Lowers the default sizes of windows, so that each part of the data has some.

    Args:
        flags: The flags of the recipe.
        series: A `kerasseq.data.TimeSeries`.
        borders: What `find_borders` returned.

    Raises:
        ValueError: for a series that is too short for a window.
    """
    lengths = sorted(len(one.values) for one in series.series)
    usual = lengths[len(lengths) // 2]
    rows = [
        row
        for one, row in zip(series.series, borders, strict=True)
        if len(one.values) >= _SHORT * usual
    ]
    shortest = min(end - begin for row in rows for begin, end in row.values())
    reason = f"a part of the data has {shortest} rows"
    command_line.bound_default(flags, "horizon", max(shortest // 2, 1), reason)
    train = min(row["train"][1] for row in rows)
    reason = f"the training data have {train} rows"
    most = max((train - flags.horizon) // 2, 1)
    command_line.bound_default(flags, "look_back", most, reason)
    _check_lengths(flags, series, borders)
    windows = sum(
        row["train"][1] - flags.look_back - flags.horizon + 1 for row in borders
    )
    reason = f"there are {windows} windows"
    command_line.bound_default(flags, "batch_size", windows, reason)


def _check_lengths(flags, series, borders):
    """Refuses series without a window in each part."""
    short = [
        (one, part, begin, end)
        for one, row in zip(series.series, borders, strict=True)
        for part, (begin, end) in row.items()
        if end - max(begin, flags.look_back) < flags.horizon
    ]
    if not short:
        return
    one, part, begin, end = short[0]
    name = f" {one.id!r}" if one.id else ""
    others = len({x.id for x, *_ in short}) - 1
    advice = "remove it from the file, or lower" if one.id else "lower"
    raise ValueError(
        f"{series.name}: the series{name} of {len(one.values)} rows is too short. A "
        "forecast has --horizon rows, with --look_back rows before them, and the "
        f"{part} part must hold one; {advice} --look_back or --horizon, or give the "
        f"part more rows with --split. Received: --look_back={flags.look_back}, "
        f"--horizon={flags.horizon} for rows {begin} to {end} of {len(one.values)}"
        + (f", and {others} other series as short" if others else "")
    )


def bound_patches(flags):
    """Lowers the default sizes of patches, so that they fit the history."""
    if flags.arch != "patch_transformer":
        return
    if flags.patch_length > flags.look_back:
        most = 1 << (flags.look_back.bit_length() - 1)
        reason = f"a history has {flags.look_back} rows"
        command_line.bound_default(flags, "patch_length", most, reason)
        reason = f"a patch has {flags.patch_length} rows"
        half = max(flags.patch_length // 2, 1)
        command_line.bound_default(flags, "patch_stride", half, reason)
    length, stride = flags.patch_length, flags.patch_stride
    if length % stride:
        most = max(min(stride, length // 2), 1)
        most = next(size for size in range(most, 0, -1) if length % size == 0)
        reason = f"it divides --patch_length={length}"
        command_line.bound_default(flags, "patch_stride", most, reason)
