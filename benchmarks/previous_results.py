"""What an earlier call of a long benchmark has already measured."""

import json


def rows(output, settings, key):
    """Reads the rows of a file of results.

    Args:
        output: Path of the JSON file, a `pathlib.Path`.
        settings: Dict of settings that all rows share; they stand in the file too.
        key: Name of the list of rows.

    Returns:
        The rows, or an empty list without a file.

    Raises:
        ValueError: if the file was made with other settings.
    """
    if not output.exists():
        return []
    report = json.loads(output.read_text())
    if {name: report.get(name) for name in settings} != settings:
        raise ValueError(
            f"{output} was made with other settings; name another --output or remove "
            f"it. Received: {settings}"
        )
    return report[key]
