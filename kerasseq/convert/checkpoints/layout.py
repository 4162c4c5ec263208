"""Which kind of network a checkpoint holds, its sizes, and where each weight goes."""

import collections
import re
import typing
from collections.abc import Callable, Mapping

from kerasseq.convert.checkpoints.safetensors_file import shortened

Shapes = Mapping[str, tuple[int, ...]]
Sizes = Mapping[str, int]


class Row(typing.NamedTuple):
    """A weight of a checkpoint.

    Attributes:
        axes: Names of its sizes, a number for one that is fixed; axes of length 1 may
            come before. `"units"`.
        path: Path of the weight in the model, where `{}` stands for the block.
        blocks: `"all"` that have it, `"first"` or `"later"`.
    """

    axes: str
    path: str
    blocks: str = "all"


class Kind(typing.NamedTuple):
    """What is known of a kind of network.

    Attributes:
        title: What it is called.
        cell: Its name in `kerasseq.layers.BLOCKS`.
        stem: What the names of blocks begin with, before their number.
        outer: `{name: Row}` outside of blocks.
        inner: `{name within a block: Row}`.
        head: Name of the output layer's kernel.
        is_tied: Whether it may be left out, since it is the table of embeddings.
        more_sizes: `(sizes, num_groups) -> sizes` that no axis has; raises
            `ValueError` where sizes contradict each other.
        options: `{argument of the block: name of a size}`.
        aliases: `{other name: name}`.
        unused: Names in the first block that are there or not, of no effect.
    """

    title: str
    cell: str
    stem: str
    outer: Mapping[str, Row]
    inner: Mapping[str, Row]
    head: str
    is_tied: bool
    more_sizes: Callable[[dict[str, int], int], Sizes]
    options: Mapping[str, str]
    aliases: Mapping[str, str] = {}
    unused: tuple[str, ...] = ()


class Layout(typing.NamedTuple):
    """Where the weights of a checkpoint go.

    Attributes:
        kind: The `Kind`.
        sizes: `{name: size}`, among them `units`, `vocabulary` and `num_layers`.
        paths: `{name in the checkpoint: path of the weight in the model}`.
        head: Name of the output layer's kernel in the checkpoint, `None` if that is the
            table of embeddings.
    """

    kind: Kind
    sizes: dict[str, int]
    paths: dict[str, str]
    head: str | None

    @property
    def block_options(self) -> dict[str, int]:
        """Arguments of each block."""
        pairs = self.kind.options.items()
        return {name: self.sizes[x] for name, x in pairs if x in self.sizes}


def find_layout(shapes: Shapes, kinds: tuple[Kind, ...], num_groups: int) -> Layout:
    """Finds the kind of a checkpoint and its sizes, and checks all names and shapes.

    Args:
        shapes: `{name: shape}`.
        kinds: Those that are known.
        num_groups: What `from_checkpoint` takes.

    Returns:
        A `Layout`.

    Raises:
        ValueError: If names are missing or unknown, or shapes do not fit.
    """
    kind = _kind(shapes, kinds)
    names = _names(kind, shapes)
    matches = (_in_a_block(kind, name) for name in names)
    num_layers = len({m[1] for m in matches if m and m[2] in kind.inner})
    rows = _rows(kind, num_layers)
    _check_names(kind, num_layers, names, rows)
    if kind.is_tied and kind.head not in names:
        del rows[kind.head]
    found = {name: shapes[names[name]] for name in rows}
    sizes = {"num_layers": num_layers, **_sizes(kind, found, rows)}
    _check_sizes(kind, sizes, num_groups)
    sizes |= kind.more_sizes(sizes, num_groups)
    _check_shapes(kind, found, rows, sizes)
    paths = {names[name]: row.path for name, row in rows.items()}
    return Layout(kind, sizes, paths, names.get(kind.head))


def _names(kind, shapes):
    """`{name by the authors: name in the checkpoint}`."""
    found = {name: name for name in shapes}
    for alias, name in kind.aliases.items():
        if alias in found and name not in found:
            found[name] = found.pop(alias)
    return found


def _in_a_block(kind, name):
    """Matches the number of a block, and the name within."""
    return re.fullmatch(rf"{re.escape(kind.stem)}\.(0|[1-9][0-9]*)\.(.+)", name)


def _kind(shapes, kinds):
    """That with the most names that no other kind has."""

    def own_names(kind):
        others = {name for x in kinds if x is not kind for name in x.inner}
        matches = (_in_a_block(kind, name) for name in shapes)
        return sum(m[2] in kind.inner and m[2] not in others for m in matches if m)

    best = max(kinds, key=own_names)
    if not own_names(best):
        examples = [f"{x.stem}.0.{next(iter(x.inner))} ({x.title})" for x in kinds]
        raise ValueError(
            f"The names must be those of {_listed(x.title for x in kinds)}, such as "
            f"{', '.join(examples)}. Received: {len(shapes)} weights, "
            f"{shortened(shapes)}"
        )
    return best


def _listed(titles):
    *others, last = titles
    return f"{', '.join(others)} or {last}"


def _rows(kind, num_layers):
    """All names that a checkpoint of so many blocks has."""
    rows = dict(kind.outer)
    for index in range(num_layers):
        left_out = "later" if index == 0 else "first"
        for name, row in kind.inner.items():
            if row.blocks != left_out:
                path = row.path.format(index)
                rows[f"{kind.stem}.{index}.{name}"] = row._replace(path=path)
    return rows


def _check_names(kind, num_layers, names, rows):
    optional = {kind.head} if kind.is_tied else set()
    rows = {name: row for name, row in rows.items() if name not in optional}
    unused = {f"{kind.stem}.0.{name}" for name in kind.unused}
    missing = sorted(rows.keys() - names.keys())
    extra = sorted(names.keys() - rows.keys() - optional - unused)
    found = [f"{len(missing)} missing: {shortened(missing)}"] if missing else []
    found += [f"{len(extra)} unknown: {shortened(extra)}"] if extra else []
    if found:
        raise ValueError(
            f"A checkpoint of {kind.title} with {num_layers} blocks has "
            f"{len(rows)} weights, such as {shortened(rows, 2)}. Received: "
            f"{'; '.join(found)}"
        )


def _stripped(shape):
    """A shape without axes of length 1 before others."""
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _sizes(kind, shapes, rows):
    """The size that most weights with an axis have."""
    counts = collections.defaultdict(collections.Counter)
    for name, row in rows.items():
        axes, shape = row.axes.split(), tuple(shapes[name])
        shape = _stripped(shape) if len(shape) > len(axes) else shape
        if len(shape) != len(axes):
            raise ValueError(
                f"`{name}` of {kind.title} must have the shape ({', '.join(axes)}). "
                f"Received: {tuple(shapes[name])}"
            )
        for axis, size in zip(axes, shape, strict=True):
            counts[axis][size] += 1
    return {
        axis: count.most_common(1)[0][0]
        for axis, count in counts.items()
        if not axis.isdigit()
    }


def _check_sizes(kind, sizes, num_groups):
    wrong = [f"{name}={size}" for name, size in sizes.items() if size < 1]
    wrong += [f"num_groups={num_groups}"] if num_groups < 1 else []
    if wrong:
        raise ValueError(f"Sizes must be positive. Received: {', '.join(wrong)}")
    if num_groups != 1 and "num_groups" not in kind.options:
        raise ValueError(
            f"Only Mamba-2 has groups of heads. Received: num_groups={num_groups} for "
            f"a checkpoint of {kind.title}"
        )


def _check_shapes(kind, shapes, rows, sizes):
    wrong = []
    for name, row in rows.items():
        expected = tuple(
            int(axis) if axis.isdigit() else sizes[axis] for axis in row.axes.split()
        )
        shape = tuple(shapes[name])
        if shape != expected and _stripped(shape) != expected:
            wrong.append(f"{name} {shape}, expected {expected}")
    if wrong:
        known = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise ValueError(
            f"These shapes do not fit {kind.title} of {known}. "
            f"Received: {len(wrong)} that differ: {shortened(wrong)}"
        )
