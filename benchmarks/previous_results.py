"""Results of previous runs of a long benchmark, to be continued."""

import json


def rows(output, settings, key):
    """Reads the rows of a file of results.

    Args:
        output: `pathlib.Path` of the JSON file.
        settings: Dict of the settings of the benchmark, which the file holds too.
        key: Name of the list of rows.

    Returns:
        The list of rows, empty if there is no file.

    Raises:
        ValueError: If the file has other settings.
    """
    if not output.exists():
        return []
    report = json.loads(output.read_text())
    if {name: report.get(name) for name in settings} != settings:
        raise ValueError(
            f"{output} was made with other settings; pass another --output or remove "
            f"it. Received: {settings}"
        )
    return report[key]


def matching(rows, **wanted):
    """The rows that have all these values."""
    return [row for row in rows if wanted.items() <= row.items()]
