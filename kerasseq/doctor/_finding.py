"""The form of a finding."""

from collections.abc import Iterable, Mapping

_MOST_NAMES = 6


def finding(severity: str, what: str, where: str, do: str) -> dict[str, str]:
    """Builds a finding.

    Args:
        severity: `"error"`, `"warning"` or `"note"`.
        what: What is wrong.
        where: Which part of the file.
        do: What to do about it.

    Returns:
        A dict of the four.
    """
    return {"severity": severity, "what": what, "where": where, "do": do}


def some(names: Iterable[str] | Mapping[str, int]) -> str:
    """The first names of a list or of `{name: count}`, and how many more there are."""
    if isinstance(names, Mapping):
        names = [f"{name} x{count}" for name, count in names.items()]
    names = list(dict.fromkeys(names))
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
