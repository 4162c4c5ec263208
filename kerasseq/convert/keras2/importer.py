"""The import of a model that Keras 2 wrote."""

import contextlib
import os
import pathlib
import tempfile
import warnings
from collections.abc import Mapping
from typing import Any

import keras

from kerasseq.convert import cloning
from kerasseq.convert.keras2 import (
    keras3_h5,
    layer_config,
    model_builder,
    other_backends,
    unsupported,
    verify,
    weights,
)
from kerasseq.convert.keras2.source import open_source
from kerasseq.utils import atomic

_NO_EXAMPLE = (
    "No outputs of the old model were given, so none were compared. The model ran on "
    "{inputs} and returns the same outputs when Keras 3 loads it again."
)


def import_keras2(
    path: str | os.PathLike,
    output: str | os.PathLike | None = None,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    layer_classes: Mapping[str, type] | None = None,
    examples: str | os.PathLike | Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> tuple[keras.Model, dict[str, Any]]:
    """Turns a model file of Keras 2 (tf.keras, tf_keras) into a model of Keras 3.

    Layers are rebuilt by stock Keras 3 from the rewritten configuration, operations
    of TensorFlow between them become operations of Keras, and the weights are copied
    bit by bit. `hard_sigmoid`, which Keras 3 redefined, keeps its old definition: such
    a model loads after `import kerasseq.ops`. The model comes back uncompiled. Code in
    the file is never run; that of a `Lambda` is read, and becomes operations if it is
    plain. `.h5` files of Keras 3 come in too.

    Args:
        path: Path of a `.h5` or `.keras` file.
        output: Path of the `.keras` file to write, or `None`. It appears only when all
            checks passed.
        custom_objects: `{name in the file: Keras 3 class or function}` for what stock
            Keras does not have.
        layer_classes: `{name of a layer: Keras 3 class}`, for one layer alone; a layer
            of a nested model is named `"model/layer"`. The class of a `Lambda` gets its
            `arguments`.
        examples: Path of a `.npz` file or a dict: inputs named as in the model or
            `input_0` .., and, to verify the import, `output_0` .. of the old model.
        tolerance: Largest difference of outputs, relative to the largest value if that
            is above 1; by default 1e-5, with half precision more.

    Returns:
        The model and a report in plain data: `layers`, a list of dicts `name`,
        `old_class`, `new_class`, `changes`, `weights`; `comparison`; `notes`;
        `needs_kerasseq`; and what the file was.

    Raises:
        ValueError: If the file is no such model; if something in it cannot be
            imported (the message names it); or if a check fails.

    Example:

    ```python
    model, report = kerasseq.convert.import_keras2(
        "old.h5", "new.keras", examples="example.npz"
    )
    ```
    """
    classes = dict(layer_classes or {})
    objects = {keras.saving.get_registered_name(c): c for c in classes.values()}
    objects |= custom_objects or {}
    if output is not None and pathlib.Path(output).suffix != ".keras":
        raise ValueError(f"The new file must be named `.keras`. Received: '{output}'")
    if output is not None and os.path.abspath(output) == os.path.abspath(path):
        raise ValueError(f"The new file needs another name. Received: '{output}'")
    arrays = None if examples is None else verify.load_examples(examples)
    with _quiet_masks(), open_source(path) as source:
        unsupported.check(source, objects, classes)
        model, children, rows = _build(source, objects, classes)
        if not isinstance(model, keras.Model) or not model.built:
            raise ValueError(
                "The model has no input shape, so it has no weights either; call it "
                f"once before it is saved. Received: '{path}'"
            )
        weights.load(source, model, children)
        _check_backend(source, model, arrays)
        report = _report(path, source, model, rows)
    if objects:
        names = ", ".join(objects)
        report["notes"].append(f"Load it with `custom_objects` as here: {names}.")
    with _quiet_masks(), keras.saving.CustomObjectScope(objects):
        report["comparison"] = _verify(model, output, arrays, tolerance)
    if report["comparison"]["compared_with"] is None:
        inputs = "generated inputs" if examples is None else "the given inputs"
        report["notes"].append(_NO_EXAMPLE.format(inputs=inputs))
    return model, atomic.plain(report)


@contextlib.contextmanager
def _quiet_masks():
    """Masks end where they did in Keras 2, which said nothing."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*therefore destroy the mask information")
        yield


def _build(source, objects, classes):
    """The model, the layers of each model in it, and the rows of the report."""
    if source.of_keras_3:
        model = keras3_h5.build(source.config, objects)
        return model, keras3_h5.children(model), keras3_h5.rows(model)
    shares_by_id = source.kind == "h5"
    builder = model_builder.ModelBuilder(
        objects, shares_by_id, source.keras_version, classes
    )
    model = builder.build(source.config)
    return model, builder.children, builder.rows


def _check_backend(source, model, arrays):
    if source.of_keras_3 or verify.has_outputs(arrays):
        return
    layers = other_backends.unproven(model, source.backend)
    if layers:
        raise ValueError(
            f"The model was trained on {source.backend}, where its padding may be "
            "another than that of TensorFlow; give inputs and outputs of the old "
            "model, to compare with (examples=, or --example FILE.npz). Received: "
            f"{', '.join(layers)}"
        )


def _verify(model, output, examples, tolerance):
    compared, call = verify.compare(model, examples, tolerance)
    if output is None:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "model.keras"
            verify.save_checked(model, file, call)
    else:
        with atomic.staging(output) as folder:
            file = folder / pathlib.Path(output).name
            verify.save_checked(model, file, call)
            os.replace(file, output)
    return compared


def _report(path, source, model, rows):
    layers = []
    for row in rows:
        layer = row.pop("layer", None)
        count = 0 if layer is None else len(layer.weights)
        layers.append(row | {"weights": count})
    needed = _needed_module(model, rows)
    notes = ["Optimizer, loss and metrics of the file are not imported; compile it."]
    if needed:
        notes.append(f"The new file loads only after `import {needed}`.")
    if source.backend == "theano":
        notes.append("Kernels that Theano turns around were turned around.")
    return {
        "file": str(path),
        "format": source.kind,
        "keras_version": source.keras_version,
        "layers": layers,
        "num_weights": len(model.weights),
        "num_parameters": model.count_params(),
        "needs_kerasseq": needed is not None,
        "notes": notes,
    }


def _needed_module(model, rows):
    """The module that registers what stock Keras does not have."""
    if any(
        type(x).__module__.startswith("kerasseq.") for x in cloning.all_layers(model)
    ):
        return "kerasseq.layers"
    changes = [change for row in rows for change in row["changes"]]
    return "kerasseq.ops" if layer_config.HARD_SIGMOID_KEPT in changes else None
