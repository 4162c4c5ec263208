"""From the values in mask files to classes 0, 1, ... and one void label."""

import typing

import numpy as np

VOID = 255
# A picture saved as a mask has many more, a mask of classes hardly ever.
MAX_VALUES = 64
_MAX_SHOWN = 10


class Classes(typing.NamedTuple):
    """What the values of masks mean.

    Args:
        labels: dict of int, ascending: each value that masks may hold to its class, or
            to `VOID`.
        names: list of str, by class.
        ignore_class: `VOID`, or `None` where there is no void label.
        notes: tuple of str, what was not taken literally.
    """

    labels: dict
    names: list
    ignore_class: int | None
    notes: tuple


def to_classes(splits, class_names=None, ignore_class=None):
    """Numbers the classes of all masks, by what the masks of train hold.

    Args:
        splits: dict of split to `(images, masks, sources)`; masks are int32 arrays that
            are changed in place, sources say where each comes from, for errors.
        class_names: list of str, or `None`.
        ignore_class: the value of the void label, or `None`: 255 beside the classes.

    Returns:
        A `Classes`.
    """
    found = {
        split: [
            (_distinct(mask), source)
            for mask, source in zip(masks, sources, strict=True)
        ]
        for split, (_, masks, sources) in splits.items()
    }
    _check_pictures(found, max(MAX_VALUES, len(class_names or ()) + 1))
    examples = {}  # of each value a mask that holds it, for errors
    for values, source in found["train"]:
        for value in values.tolist():
            examples.setdefault(value, source)
    classes = _choose(examples, class_names, ignore_class)
    for members in found.values():
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


def _check_pictures(found, most):
    for values, source in (member for members in found.values() for member in members):
        if len(values) > most:
            raise ValueError(
                f"The mask {source} looks like a picture: it holds {len(values)} "
                "different values, where class numbers are expected. Received: "
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
    """The class numbers from 0 on to themselves, if these are the values."""
    if len(values) < 2:
        raise ValueError(
            "The masks of the training split must hold two classes at least. Received: "
            f"the value(s) {_shown(sorted(examples))}"
        )
    num_classes = len(names) if names else len(values)
    wrong = [value for value in values if not 0 <= value < num_classes]
    if wrong:
        named = f" of the {num_classes} class names" if names else ""
        raise ValueError(
            f"Mask values must be the numbers{named} from 0 on without a gap, and "
            f"{VOID} for void, or two values in all; number them anew, or name all "
            "classes, one a line, in classes.txt. Received: "
            f"{_shown(sorted(examples))}; {wrong[-1]} e.g. in the mask "
            f"{examples[wrong[-1]]}"
        )
    if num_classes > VOID:
        raise ValueError(
            f"There may be {VOID} classes at most, since {VOID} is the void label. "
            f"Received: {num_classes} classes"
        )
    return {value: value for value in range(num_classes)}


def _check_known(members, classes):
    for values, source in members:
        unknown = [value for value in values.tolist() if value not in classes.labels]
        if unknown:
            raise ValueError(
                f"The mask {source} holds values that the training masks do not have: "
                f"{_shown(unknown)}. Expected: {_shown(list(classes.labels))}; number "
                "it anew, or give `ignore_class` if the value is the void label"
            )


def _translate(masks, classes):
    values, labels = map(
        np.array, (list(classes.labels), list(classes.labels.values()))
    )
    if not np.array_equal(values, labels):
        for mask in masks:
            mask[...] = labels[np.searchsorted(values, mask)]
