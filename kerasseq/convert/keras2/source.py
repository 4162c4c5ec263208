"""Opens a model file of Keras 2, or a `.h5` of Keras 3: configuration and arrays."""

import contextlib
import io
import json
import os
import pathlib
import typing
import zipfile
from collections.abc import Iterable, Iterator

import h5py

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
# Keras does not compress an archive; whoever did it later saved less than this.
_LARGEST_RATIO = 20
_SMALL = 2**24
_MAX_DEPTH = 150
# Arguments of Keras 1 that Keras 2 renamed.
_KERAS_1 = {"init", "inner_init", "nb_filter", "border_mode", "dim_ordering"}


class Source(typing.NamedTuple):
    """An open file.

    Attributes:
        kind: `"h5"` or `"keras"`.
        keras_version: Version that wrote it, such as `"2.15.0"`; `None` if not said.
        backend: Backend that wrote it, such as `"theano"`; `None` if not said.
        config: The serialized model, nested dicts and lists.
        weights: HDF5 group that holds the arrays.
    """

    kind: str
    keras_version: str | None
    backend: str | None
    config: dict
    weights: h5py.Group

    @property
    def of_keras_3(self) -> bool:
        """Whether Keras 3 wrote it."""
        return str(self.keras_version).startswith("3.")


@contextlib.contextmanager
def open_source(path: str | os.PathLike) -> Iterator[Source]:
    """Opens a `.h5` or `.keras` file, whatever its name.

    Args:
        path: Path of the file.

    Yields:
        A `Source`.

    Raises:
        ValueError: If it is no such model file, is damaged, or needs no import.
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
        except WrongKind:
            raise
        except Exception as error:  # whatever HDF5, zip, zlib and JSON raise
            raise ValueError(
                "The file is damaged or incomplete; copy it again from where it was "
                f"written. Received: '{path}' ({error})"
            ) from error
        config = source.config
        if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
            raise ValueError(f"The file holds no Keras model. Received: '{path}'")
        _check_version(source, path)
        yield source


class WrongKind(ValueError):
    """The file is intact, but no model file of Keras 2."""


def _check_version(source, path):
    has_old_keys = _has_keys(source.config, _KERAS_1, _MAX_DEPTH)
    if source.of_keras_3 and source.kind == "keras":
        raise ValueError(
            f"The file was written by Keras {source.keras_version} and needs no "
            f"import; load it with `keras.saving.load_model`. Received: '{path}'"
        )
    version = source.keras_version or ("1" if has_old_keys else "2")
    if version.split(".")[0] in ("0", "1"):
        raise ValueError(
            f"The file was written by Keras 1 (keras_version {source.keras_version}); "
            "load it with Keras 2.0 to 2.3, which read such files, and save it there "
            f"with `model.save('model.h5')`. Received: '{path}'"
        )


def _has_keys(node, keys, depth):
    """Whether a dict in nested data has one of the keys."""
    if not isinstance(node, (dict, list)):
        return False
    if not depth:
        raise ValueError("The configuration of the model is nested too deeply.")
    items = node.values() if isinstance(node, dict) else node
    found = [_has_keys(item, keys, depth - 1) for item in items]
    return any(found) or isinstance(node, dict) and not keys.isdisjoint(node)


def _read(path, stack):
    with open(path, "rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5:
        return _read_h5(path, stack.enter_context(h5py.File(path, "r")))
    if start[:2] == b"PK":
        return _read_zip(path, stack.enter_context(zipfile.ZipFile(path)), stack)
    raise WrongKind(
        "Only model files of Keras 2 can be imported, `.h5` or `.keras`. Received: "
        f"'{path}', which is neither: it begins with {start!r}"
    )


def _read_h5(path, file):
    config = file.attrs.get("model_config")
    if config is None:
        what = "weights without a model" if "layer_names" in file.attrs else "no model"
        raise WrongKind(
            f"The file holds {what}; build the model in Keras 3 and try "
            "`model.load_weights`, or save the whole of it with `model.save`. "
            f"Received: '{path}'"
        )
    weights = member(file, "model_weights", h5py.Group)
    version, backend = (
        _text(file.attrs.get(name, weights.attrs.get(name)))
        for name in ("keras_version", "backend")
    )
    parse = json.loads if str(version).startswith("3.") else _parsed
    return Source("h5", version, backend, parse(_text(config)), weights)


def _read_zip(path, archive, stack):
    missing = sorted(set(_MEMBERS) - set(archive.namelist()))
    if missing:
        raise WrongKind(
            "The file is an archive, but not a Keras model: it lacks "
            f"{', '.join(missing)}. Received: '{path}'"
        )
    check_sizes(map(archive.getinfo, _MEMBERS), path)
    config, metadata, weights = map(archive.read, _MEMBERS)
    file = stack.enter_context(h5py.File(io.BytesIO(weights), "r"))
    version = json.loads(metadata).get("keras_version")
    return Source("keras", version, None, _parsed(config), file)


def check_sizes(members: Iterable[zipfile.ZipInfo], path: str | os.PathLike) -> None:
    """Checks that the parts of an archive are not much larger than the archive.

    Args:
        members: Parts of the archive.
        path: Path of the archive, for the message.

    Raises:
        ValueError: If one is.
    """
    for part in members:
        if part.file_size > _SMALL + _LARGEST_RATIO * part.compress_size:
            raise WrongKind(
                f"The archive is not read: its part '{part.filename}' of "
                f"{part.compress_size:,} bytes would fill {part.file_size:,}. Write it "
                f"without compression. Received: '{path}'"
            )


def check_stored(datasets: Iterable[h5py.Dataset]) -> None:
    """Checks that arrays are not much larger than what the file stores of them.

    Args:
        datasets: Arrays of an HDF5 file.

    Raises:
        ValueError: If they are, or if one holds no numbers.
    """
    size, stored = 0, 0
    for dataset in datasets:
        if dataset.dtype.kind not in "biuf":
            raise ValueError(
                f"Weights must be numbers. Received: {dataset.name} of type "
                f"{dataset.dtype}"
            )
        size += dataset.nbytes
        stored += dataset.id.get_storage_size()
    if size > _SMALL + _LARGEST_RATIO * stored:
        raise ValueError(
            f"The weights are not read: {stored:,} bytes of the file would fill "
            f"{size:,}. Write them without compression."
        )


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
