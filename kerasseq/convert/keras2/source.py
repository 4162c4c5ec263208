"""Opens a model file of Keras 2: its configuration and its arrays, no code."""

import contextlib
import io
import json
import os
import pathlib
import typing
import zipfile
from collections.abc import Iterator

import h5py

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MEMBERS = ("config.json", "metadata.json", "model.weights.h5")


class Source(typing.NamedTuple):
    """An open file.

    Attributes:
        kind: `"h5"` or `"keras"`.
        keras_version: Version that wrote it, such as `"2.15.0"`; `None` if not said.
        config: The serialized model, nested dicts and lists.
        weights: HDF5 group that holds the arrays.
    """

    kind: str
    keras_version: str | None
    config: dict
    weights: h5py.Group


@contextlib.contextmanager
def open_source(path: str | os.PathLike) -> Iterator[Source]:
    """Opens a `.h5` or `.keras` file, whatever its name.

    Args:
        path: Path of the file.

    Yields:
        A `Source`.

    Raises:
        ValueError: If it is no model file of Keras 2, or is damaged.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(
            "A folder cannot be imported; load it where it was written and save it "
            f"with `model.save('model.h5')`. Received: '{path}'"
        )
    if not path.is_file():
        raise ValueError(f"There is no such file. Received: '{path}'")
    with contextlib.ExitStack() as stack:
        try:
            source = _read(path, stack)
        except _WrongKind:
            raise
        except Exception as error:  # whatever HDF5, zip, zlib and JSON raise
            raise ValueError(
                "The file is damaged or incomplete; copy it again from where it was "
                f"written. Received: '{path}' ({error})"
            ) from error
        config = source.config
        if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
            raise ValueError(f"The file holds no Keras model. Received: '{path}'")
        if str(source.keras_version).startswith("3"):
            raise ValueError(
                f"The file was written by Keras {source.keras_version} and needs no "
                "import; load it with `keras.saving.load_model`. Received: "
                f"'{path}'"
            )
        yield source


class _WrongKind(ValueError):
    """The file is intact, but no model file of Keras 2."""


def _read(path, stack):
    with open(path, "rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5:
        return _read_h5(path, stack.enter_context(h5py.File(path, "r")))
    if start[:2] == b"PK":
        return _read_zip(path, stack.enter_context(zipfile.ZipFile(path)), stack)
    raise _WrongKind(
        "Only model files of Keras 2 can be imported, `.h5` or `.keras`. Received: "
        f"'{path}', which is neither: it begins with {start!r}"
    )


def _read_h5(path, file):
    config = file.attrs.get("model_config")
    if config is None:
        what = "weights without a model" if "layer_names" in file.attrs else "no model"
        raise _WrongKind(
            f"The file holds {what}; build the model in Keras 3 and try "
            "`model.load_weights`, or save the whole of it with `model.save`. "
            f"Received: '{path}'"
        )
    weights = member(file, "model_weights", h5py.Group)
    version = _text(file.attrs.get("keras_version"))
    return Source("h5", version, _parsed(_text(config)), weights)


def _read_zip(path, archive, stack):
    missing = sorted(set(_MEMBERS) - set(archive.namelist()))
    if missing:
        raise _WrongKind(
            "The file is an archive, but not a Keras model: it lacks "
            f"{', '.join(missing)}. Received: '{path}'"
        )
    config, metadata, weights = map(archive.read, _MEMBERS)
    file = stack.enter_context(h5py.File(io.BytesIO(weights), "r"))
    version = json.loads(metadata).get("keras_version")
    return Source("keras", version, _parsed(config), file)


def _text(value):
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _parsed(text):
    return json.loads(text, object_hook=_plain)


def _plain(node):
    """Normalizes what the JSON of Keras 2 writes in several ways."""
    kind = node.get("class_name")
    if kind in ("__tuple__", "TensorShape") and "items" in node:
        return node["items"]
    if kind == "Sequential" and isinstance(node.get("config"), list):
        # Before Keras 2.2.3.
        return node | {"config": {"name": "sequential", "layers": node["config"]}}
    return Ellipsis if kind == "__ellipsis__" else node


def member(group: h5py.Group, name: str, kind: type[typing.Any]) -> typing.Any:
    """Returns a dataset or group of a group, never one of another file.

    Args:
        group: HDF5 group.
        name: Name in it, may be a path.
        kind: `h5py.Group` or `h5py.Dataset`.

    Returns:
        The group or dataset.

    Raises:
        ValueError: If it is missing, of another kind, or kept in another file.
    """
    found: typing.Any = group.get(name)
    if not isinstance(found, kind):
        raise ValueError(
            f"The file is damaged: it lacks the {kind.__name__.lower()} '{name}' in "
            f"'{group.name}'."
        )
    outside = found.file.id != group.file.id
    if kind is h5py.Dataset:
        outside = outside or found.external or found.is_virtual
    if outside:
        raise ValueError(
            "A model file may not refer to other files. Received: "
            f"'{group.name}/{name}'"
        )
    return found
