"""Maps the values in mask files to classes 0, 1, ... and one void label."""

import itertools
import typing

import numpy as np

VOID = 255
# A photo saved as a mask has many more values, a mask of classes rarely has.
MAX_VALUES = 64
_MAX_SHOWN = 10


class Classes(typing.NamedTuple):
    """The meaning of the values in masks.

    Args:
        labels: Dict, ascending, from each value that masks may hold to its class or to
            `VOID`.
        names: List of strings, the names of the classes.
        ignore_class: `VOID`, or `None` if there is no void label.
        notes: Tuple of strings, how values were interpreted.
    """

    labels: dict
    names: list
    ignore_class: int | None
    notes: tuple


def to_classes(splits, class_names=None, ignore_class=None):
    """Numbers the classes of all masks, from the values in the training masks.

    Args:
        splits: Dict from split to `(images, masks, sources)`. Masks are int32 arrays,
            which are changed in place; sources name each mask in error messages.
        class_names: List of strings, or `None`.
        ignore_class: Value of the void label. `None` for 255, if that occurs.

    Returns:
        A `Classes`.
    """
    values_by_split = {
        split: [
            (_distinct(mask), source)
            for mask, source in zip(masks, sources, strict=True)
        ]
        for split, (_, masks, sources) in splits.items()
    }
    _check_pictures(values_by_split, max(MAX_VALUES, len(class_names or ()) + 1))
    examples = {}  # for each value a mask that holds it, for error messages
    for values, source in values_by_split["train"]:
        for value in values.tolist():
            examples.setdefault(value, source)
    classes = _choose(examples, class_names, ignore_class)
    for members in values_by_split.values():
        _check_known(members, classes)
    for _, masks, _ in splits.values():
        _translate(masks, classes)
    return classes


def _distinct(mask):
    if mask.min() >= 0 and mask.max() <= np.iinfo("uint16").max:
        return np.flatnonzero(np.bincount(mask.ravel()))
    return np.unique(mask)


def _shown(values):
    shown = ", ".join(str(int(value)) for value in values[:_MAX_SHOWN])
    return shown + (", ..." if len(values) > _MAX_SHOWN else "")


def _check_pictures(values_by_split, max_values):
    for values, source in itertools.chain(*values_by_split.values()):
        if len(values) > max_values:
            raise ValueError(
                f"The mask {source} looks like a picture: it holds {len(values)} "
                "different values instead of class indices. Received: "
                f"{_shown(values)}"
            )


def _choose(examples, names, void):
    values = sorted(examples.keys() - {void})
    notes = []
    if len(values) == 2 and (names is None or len(names) == 2):
        labels = dict(zip(values, (0, 1), strict=True))
        if values != [0, 1]:
            notes.append(f"mask values {values[0]} and {values[1]} are classes 0 and 1")
    else:
        if void is None and VOID in values:
            void = VOID
            values.remove(void)
            notes.append(f"mask value {VOID} is the void label")
        labels = _numbered(values, names, examples)
    default = ["background", "foreground"] if len(labels) == 2 else map(str, labels)
    names = names or list(default)
    if void is not None:
        labels = dict(sorted([*labels.items(), (void, VOID)]))
        if void != VOID:
            notes.append(f"mask value {void} is the void label, now {VOID}")
    return Classes(labels, names, None if void is None else VOID, tuple(notes))


def _numbered(values, names, examples):
    """The identity map of the classes 0, 1, ..., if these are the values."""
    if len(values) < 2:
        raise ValueError(
            "The training masks of `data` must hold at least two classes. Received: "
            f"the value(s) {_shown(sorted(examples))}"
        )
    num_classes = len(names) if names else len(values)
    wrong = [value for value in values if not 0 <= value < num_classes]
    if wrong:
        named = f" of the {num_classes} class names" if names else ""
        raise ValueError(
            f"Mask values must be class indices{named} from 0 without gaps, and {VOID} "
            "for void, or only two values; renumber them, or name all classes, one per "
            "line, in classes.txt. Received: "
            f"{_shown(sorted(examples))}; {wrong[-1]} e.g. in the mask "
            f"{examples[wrong[-1]]}"
        )
    if num_classes > VOID:
        raise ValueError(
            f"There may be at most {VOID} classes, since {VOID} is the void label. "
            f"Received: {num_classes} classes"
        )
    return {value: value for value in range(num_classes)}


def _check_known(members, classes):
    for values, source in members:
        unknown = [value for value in values.tolist() if value not in classes.labels]
        if unknown:
            raise ValueError(
                f"The mask {source} holds values that the training masks do not have: "
                f"{_shown(unknown)}. Expected: {_shown(list(classes.labels))}; "
                "renumber it, or pass `ignore_class` if the value is the void label"
            )


def _translate(masks, classes):
    values, labels = map(
        np.array, (list(classes.labels), list(classes.labels.values()))
    )
    if not np.array_equal(values, labels):
        for mask in masks:
            mask[...] = labels[np.searchsorted(values, mask)]
