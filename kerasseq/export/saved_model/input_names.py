"""Names of inputs that TensorFlow's functions do not take, as those of Keras may be.

Such an input has another name in the SavedModel, a file in it says which, and the
TFLite file has the name that the model has.
"""

import json
import os
import pathlib
import re
from collections.abc import Iterable, Mapping

from ai_edge_litert import schema_py_generated as schema

from kerasseq.export import samples as samples_lib

Table = Mapping[str, Mapping[str, str]]  # {signature: {name in the model: name here}}

_FILE = "assets.extra/input_names.json"


def usable(names: Iterable[str]) -> dict[str, str]:
    """A name that TensorFlow takes for each input.

    Args:
        names: Names of the inputs.

    Returns:
        `{name: name that is an identifier of ASCII letters}`, all different.
    """
    found: dict[str, str] = {}
    for name in sorted(names, key=_is_usable, reverse=True):
        base = (
            name if _is_usable(name) else re.sub(r"\W", "_", f"in_{name}", flags=re.A)
        )
        taken, key, number = set(found.values()), base, 1
        while key in taken:
            key, number = f"{base}_{number}", number + 1
        found[name] = key
    return found


def write(saved_model: str | os.PathLike, table: Table) -> None:
    """Writes the names that differ into a SavedModel, if there are any.

    Args:
        saved_model: Path of the SavedModel folder.
        table: `{signature: {name in the model: name in the SavedModel}}`.
    """
    changed = {
        signature: {name: key for name, key in names.items() if name != key}
        for signature, names in table.items()
    }
    changed = {signature: names for signature, names in changed.items() if names}
    if changed:
        path = pathlib.Path(saved_model) / _FILE
        path.parent.mkdir()
        path.write_text(json.dumps(changed), encoding="utf-8")


def read(saved_model: str | os.PathLike) -> Table:
    """The names that differ in a SavedModel, as `write` takes them."""
    path = pathlib.Path(saved_model) / _FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def renamed(data: samples_lib.Samples, table: Table) -> samples_lib.Samples:
    """Samples with the names that the inputs have in the SavedModel."""
    return {
        signature: [
            {table.get(signature, {}).get(name, name): x for name, x in inputs.items()}
            for inputs in given
        ]
        for signature, given in data.items()
    }


def restore(model: schema.ModelT, table: Table) -> None:
    """Gives the inputs of a converted file the names that they have in the model.

    Args:
        model: `schema.ModelT`, converted from the SavedModel, which is changed.
        table: From `read`.
    """
    for signature in model.signatureDefs or []:
        names = table.get(signature.signatureKey.decode(), {})
        known = {key: name for name, key in names.items()}
        for item in signature.inputs:
            key = item.name.decode()
            item.name = known.get(key, key).encode()


def _is_usable(name):
    return name.isidentifier() and name.isascii()
