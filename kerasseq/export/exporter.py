"""The whole export: twin, SavedModel, TFLite, audit, parity, measurement, report."""

from kerasseq import atomic, lite, ops
from kerasseq.export import (
    audit,
    backend,
    converter,
    measure,
    parity,
    report,
    saved_model,
)
from kerasseq.export import samples as samples_lib
from kerasseq.export import signatures as signatures_lib
from kerasseq.export import twin as twin_lib

_ARTEFACTS = ("saved_model", "model.tflite", "report.json")


def export_model(
    model,
    output_dir,
    *,
    signatures=None,
    samples=None,
    task=None,
    data=None,
    metrics=None,
    training=None,
    tolerance=1e-4,
    min_token_agreement=1.0,
    main_signature=None,
):
    """Exports a model as a SavedModel and as one builtin-only TFLite file.

    A float32 twin of the model is written as a SavedModel, converted in a child
    process, audited, compared with the twin on samples, and timed in a process
    without TensorFlow. `saved_model/`, `model.tflite` and `report.json` appear in
    `output_dir` only when all of it went well; on any error an earlier export stays
    as it was.

    Args:
        model: A built `keras.Model`; it is not changed.
        output_dir: Folder for the results; created if missing.
        signatures: `None` for one signature `serve` with batch size 1; or a callable
            that gets the twin and returns
            `{name: (function, {input name: (shape, dtype)})}`. A function gets its
            tensors by keyword and returns a dict of tensors; all shapes are static.
        samples: `{signature name: [{input name: array}]}` to compare on. A signature
            that is not named is not compared. `None` makes seeded random inputs
            (integers are 1 or 2) for all signatures.
        task: Name of the task, for the report.
        data: Name or description of the data, for the report.
        metrics: Dict of the model's scores, for the report.
        training: Dict about the training (seconds, epochs, ...), for the report.
        tolerance: Largest allowed absolute difference of float outputs.
        min_token_agreement: Smallest allowed share of samples whose integer outputs
            are all identical.
        main_signature: The signature whose latency stands for the file; by default
            `serve`, or else the first.

    Returns:
        The report, a dict as in `report.json`: `task`, `data`, `metrics`, `training`,
        and `artefacts`, a list with the entries of `model.tflite` and `saved_model`.

    Raises:
        ValueError: If an argument is not usable, the folder cannot be written, an op
            is no builtin (the message names op and layer), or the file computes
            something else than the model.
        RuntimeError: If a child process crashes.
        ImportError: If Keras does not run on TensorFlow.

    Example:

    ```python
    model = keras.Sequential([keras.Input((24, 3)), keras.layers.GRU(8)])
    result = export.export_model(model, "saved_models/demo", task="demo")
    result["artefacts"][0]["ops"]  # {"WHILE": 1, ...}
    ```
    """
    backend.require_tensorflow()
    output_dir = atomic.check_output_dir(output_dir)
    head = report.head(task, data, metrics, training)
    twin = twin_lib.portable_twin(model)
    with ops.lowering("while"):
        traced = signatures_lib.trace_all(twin, signatures)
    main_signature = _main_signature(traced, main_signature)
    samples = samples_lib.checked(traced, samples)
    with atomic.staging(output_dir) as folder:
        _write(twin, traced, folder)
        limits = (tolerance, min_token_agreement)
        artefacts = [
            _check_tflite(traced, samples, folder, limits, main_signature),
            _check_saved_model(traced, samples, folder, limits),
        ]
        result = {**head, "artefacts": artefacts}
        atomic.write_json(folder / "report.json", result)
        atomic.move_into(folder, output_dir, _ARTEFACTS)
    return result


def _write(twin, traced, folder):
    saved_model.write(traced, folder / "saved_model")
    converter.convert(
        folder / "saved_model",
        folder / "model.tflite",
        list(traced),
        twin_lib.all_layers(twin),
    )


def _check_tflite(traced, samples, folder, limits, main_signature):
    path = folder / "model.tflite"
    content = audit.audit(path)
    _check_audit(content)
    figures = parity.compare(_reference(traced), _runner(path), samples)
    parity.check(figures, *limits, "The TFLite file")
    every = {name: samples_lib.random_samples(s.specs) for name, s in traced.items()}
    return report.artefact(
        "model.tflite",
        size=content["bytes"],
        signatures=list(traced),
        ops=content["ops"],
        dynamic_shapes=content["dynamic_shapes"],
        figures=figures,
        measured=measure.measure(path, {**every, **samples}),
        main_signature=main_signature,
    )


def _check_saved_model(traced, samples, folder, limits):
    path = folder / "saved_model"
    figures = parity.compare(_reference(traced), saved_model.load(path), samples)
    parity.check(figures, *limits, "The SavedModel")
    return report.artefact(
        "saved_model",
        size=report.folder_bytes(path),
        signatures=list(traced),
        ops={},
        figures=figures,
    )


def _reference(traced):
    return lambda name, inputs: traced[name].run(inputs)


def _runner(path):
    runner = lite.Runner(path)
    return lambda name, inputs: runner.run(name, **inputs)


def _check_audit(content):
    foreign = content["flex_ops"] + content["custom_ops"]
    if foreign:
        raise ValueError(
            "The TFLite file holds ops that mobile runtimes do not load; write the "
            f"layers that cause them with other ops. Received: {foreign}"
        )


def _main_signature(traced, name):
    if name is None:
        return "serve" if "serve" in traced else next(iter(traced))
    if name not in traced:
        raise ValueError(
            f"`main_signature` must be one of {list(traced)}. "
            f"Received: main_signature={name!r}"
        )
    return name
