"""A model of another backend as StableHLO, traced by a child process on JAX.

`python -m kerasseq.export.stablehlo.from_keras FOLDER` is the child.
"""

import importlib
import os
import pathlib
import pickle
import sys
from collections.abc import Mapping
from typing import Any

import keras

from kerasseq import ops
from kerasseq.convert import cloning
from kerasseq.utils import child_process

_MODEL, _JOB, _RESULT = "model.keras", "job.pickle", "stablehlo"
_PRELOAD = ("jax", "keras", "kerasseq.layers")


def write(
    twin: keras.Model,
    signatures: Mapping[str, Any],
    loop_strategy: str,
    path: str | os.PathLike,
) -> None:
    """Writes a folder as `stablehlo.tracing.write` does.

    Args:
        twin: A model of layers that run on JAX too.
        signatures: As in `signatures.trace_all`.
        loop_strategy: How loops are traced.
        path: Path of the folder to write.

    Raises:
        ValueError: If the child cannot import what the model is made of, or a class or
            function of it does not run on JAX.
    """
    folder = pathlib.Path(path).with_suffix(".job")
    folder.mkdir()
    twin.save(folder / _MODEL)
    job = [_modules(twin), _pickled(signatures), loop_strategy]
    (folder / _JOB).write_bytes(pickle.dumps(job))
    search = os.pathsep.join(place or os.getcwd() for place in sys.path)
    result = child_process.run(
        __name__, [folder], preload=_PRELOAD, KERAS_BACKEND="jax", PYTHONPATH=search
    )
    if result.returncode == 1:  # an error of Python, and no crash
        reason = result.stderr.strip().splitlines()[-1]
        raise ValueError(
            'The model cannot be traced on JAX, which `converter="litert"` does; '
            f'export it with `converter="tensorflow"`. Received: {reason}'
        )
    child_process.check(result, "The tracing on JAX")
    (folder / _RESULT).rename(path)


def _modules(twin):
    """The modules that register the classes of a model."""
    names = {type(layer).__module__ for layer in cloning.all_layers(twin)}
    own = sorted(x for x in names if x.partition(".")[0] not in ("keras", "kerasseq"))
    if "__main__" in own:
        raise ValueError(
            '`converter="litert"` traces the model in a process on JAX, which '
            "imports its classes; move them from the script to a module. Received: "
            f"{[x.name for x in cloning.all_layers(twin) if _in_main(x)]}"
        )
    return own


def _in_main(layer):
    return type(layer).__module__ == "__main__"


def _pickled(signatures):
    try:
        return pickle.dumps(dict(signatures))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            '`converter="litert"` traces the model in a process on JAX, so '
            "`signatures` must be a function of a module or a `functools.partial` of "
            f"one. Received: signatures={signatures['signatures']!r}"
        ) from error


def main(folder: str) -> None:
    """The child: loads the model and traces its signatures."""
    import kerasseq.layers  # noqa: F401 (registers its classes)
    from kerasseq.export import signatures as signatures_lib
    from kerasseq.export.stablehlo import tracing

    place = pathlib.Path(folder)
    modules, pickled, loop_strategy = pickle.loads((place / _JOB).read_bytes())
    for name in modules:
        importlib.import_module(name)
    twin = keras.saving.load_model(place / _MODEL, compile=False)
    with ops.loop_strategy(loop_strategy):
        table = signatures_lib.trace_all(twin, **pickle.loads(pickled))
    tracing.write({name: x.traced for name, x in table.items()}, place / _RESULT)


if __name__ == "__main__":
    main(*sys.argv[1:])
