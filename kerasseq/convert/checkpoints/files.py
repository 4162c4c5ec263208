"""Opens a file of weights: `.safetensors` or `.npz`; refuses others with a remedy."""

import contextlib
import os
import pathlib
import re
import typing
from collections.abc import Callable, Iterator

import numpy as np

from kerasseq.convert.checkpoints import numpy_archive, safetensors_file

_PICKLES = {".pth", ".pt", ".bin", ".pkl", ".ckpt", ".pickle"}
_SHARD = re.compile(r"-\d+-of-0*([1-9]\d*)\.")
_TO_SAFETENSORS = (
    "import torch, safetensors.torch; weights = torch.load(path, weights_only=True, "
    "map_location='cpu'); safetensors.torch.save_file({name: x.clone().contiguous() "
    "for name, x in weights.items()}, 'model.safetensors')"
)
_MERGED = (
    "merge the parts: load each with `safetensors.torch.load_file`, and save one dict "
    "of all tensors with `safetensors.torch.save_file`"
)


class Checkpoint(typing.NamedTuple):
    """An open file of weights.

    Attributes:
        shapes: `{name: shape}`.
        read: Gives the float32 array of a name.
    """

    shapes: dict[str, tuple[int, ...]]
    read: Callable[[str], np.ndarray]


@contextlib.contextmanager
def opened(path: str | os.PathLike) -> Iterator[Checkpoint]:
    """Opens a file of weights; what kind it is says its content, not its name.

    Args:
        path: Path of the file.

    Yields:
        A `Checkpoint`.

    Raises:
        ValueError: If it is no such file, is a part of a checkpoint, or is damaged.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise ValueError(
            "The weights must be a file, `.safetensors` or `.npz`. "
            f"Received: path='{path}', which {what}"
        )
    with contextlib.ExitStack() as stack:
        with _named(path):
            file = stack.enter_context(open(path, "rb"))
            start = file.read(9)
        _refuse_others(path, start, file)
        kind = numpy_archive.Arrays if start[:2] == b"PK" else safetensors_file.Tensors
        with _named(path):
            tensors = kind(file, path.stat().st_size)

        def read(name):
            with _named(path):
                return tensors.read(name)

        yield Checkpoint(tensors.shapes, read)


@contextlib.contextmanager
def _named(path):
    """Whatever JSON, NumPy and zip raise is an error that names the file."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(
            f"The weights cannot be read: {error}. Received: path='{path}'"
        ) from error


def _refuse_others(path, start, file):
    if path.name.endswith(".index.json") or start[:1] == b"{":
        raise ValueError(
            f"This is the index of a checkpoint in parts; {_MERGED}. "
            f"Received: path='{path}'"
        )
    shard = _SHARD.search(path.name)
    if shard and int(shard[1]) > 1:
        raise ValueError(
            f"This is one of {shard[1]} parts of a checkpoint; {_MERGED}. "
            f"Received: path='{path}'"
        )
    if start[8:] == b"{":
        return
    is_zip = start[:2] == b"PK"
    is_pickle = start[:1] == b"\x80" and path.suffix != ".safetensors"
    if is_zip:
        file.seek(0)
        # The first part of an archive of PyTorch.
        is_pickle = b"/data.pkl" in file.read(4096)
    if is_pickle or (path.suffix.lower() in _PICKLES and not is_zip):
        raise ValueError(
            "A pickle can run code when it is read, so none is. Convert it where it "
            f"can be trusted: `{_TO_SAFETENSORS}`. Received: path='{path}'"
        )
    if not is_zip and path.suffix != ".safetensors":
        raise ValueError(
            "Only `.safetensors` files and `.npz` archives are read. "
            f"Received: path='{path}', which begins with {start!r}"
        )
