"""The whole export: twin, SavedModel, TFLite, audit, parity, measurement, report."""

from kerasseq.convert import cloning
from kerasseq.export import (
    backend,
    loop_strategies,
    page,
    parity,
    report,
    saved_model,
    traced_variants,
)
from kerasseq.export import quantize as quantize_lib
from kerasseq.export import twin as twin_lib
from kerasseq.lite import benchmark
from kerasseq.utils import atomic


def export_model(
    model,
    output_dir,
    *,
    signatures=None,
    batch_size=1,
    input_shapes=None,
    samples=None,
    loop_strategy="auto",
    quantize=(),
    representative_data=None,
    float_ops=(),
    float_layers=(),
    task=None,
    data=None,
    metrics=None,
    training=None,
    tolerance=1e-4,
    min_token_agreement=1.0,
    main_signature=None,
    time_limit=3600,
):
    """Exports a model as a SavedModel and as one builtin-only TFLite file.

    A float32 twin of the model is written as a SavedModel, converted in a child
    process, audited, compared with the twin on samples, and timed in a process
    without TensorFlow. `saved_model/`, `model.tflite`, `report.json` and the page
    `report.html` appear in `output_dir` only when all of it went well; on any error an
    earlier export stays as it was. Quantized files of an earlier export that this
    one does not make are removed with it, since they are of another model.

    Args:
        model: A built `keras.Model`; it is not changed.
        output_dir: Folder for the results; created if missing.
        signatures: `None` for one signature `serve`, the whole model; or a callable
            that gets the twin and returns
            `{name: (function, {input name: (shape, dtype)})}`. A function gets its
            tensors by keyword and returns a dict of tensors; all shapes are static.
        batch_size: Batch size of `serve`.
        input_shapes: `{input name: shape}` without the batch, for inputs of `serve`
            whose size the model leaves open, as the length of a text.
        samples: Inputs to compare on, as for `representative_data`. A signature that
            has none is not compared. `None` makes seeded random inputs for all: uint8
            is 0 to 255, other integers are 1 or 2, and 0 where the last sample is
            padded.
        loop_strategy: How loops over time are written. `"while"`: as a loop. `"fused"`:
            an LSTM that does not return its states as the one op
            `UNIDIRECTIONAL_SEQUENCE_LSTM`, which wants masks padded on the right; other
            cells as a loop. `"unrolled"`: every step written out. `"auto"`: of these
            the one that runs fastest here, of files not larger than the loop's.
        quantize: Tuple out of `"float16"` (weights), `"dynamic"` (int8 weights) and
            `"int8"` (int8 weights and activations; inputs and outputs stay as they
            are); each gives a file `model_PRECISION.tflite` more. How far its outputs
            are from the model's stands in the report.
        representative_data: For `"int8"`, some hundred real inputs:
            `{signature name: [{input name: array}]}` with arrays of the signature's
            batch size; or arrays by input name, also in an `.npz` file, whose rows are
            taken one by one; or, for a single signature, an iterable of batches as
            `fit` takes them, such as a `tf.data.Dataset`. See `cases.from_data`.
        float_ops: Names of builtin ops that the int8 file computes in float, for
            models that lose too much in int8, as transformers do: those of layer
            normalization and attention are `("ADD", "BATCH_MATMUL", "GELU", "MEAN",
            "MUL", "NEG", "RSQRT", "SOFTMAX", "SQUARED_DIFFERENCE")`. A file for a
            chip that has integers only must do without; one for a processor may do
            better as `"dynamic"`.
        float_layers: Patterns of names of layers, as `"dense*"`, that the int8 file
            computes in float. Its entry in the report has `error_by_layer`, which
            tells which layers lose most.
        task: Name of the task, for the report.
        data: Name or description of the data, for the report.
        metrics: Dict of the model's scores, for the report.
        training: Dict about the training (seconds, epochs, ...), for the report.
        tolerance: Largest allowed absolute difference of float outputs.
        min_token_agreement: Smallest allowed share of samples whose integer outputs
            are all identical.
        main_signature: The signature whose latency stands for the file; by default
            `serve`, or else the first.
        time_limit: Seconds after which a conversion or a measurement, each in a
            process of its own, is taken to hang and is ended.

    Returns:
        The report, a dict as in `report.json`: `task`, `data`, `metrics`, `training`,
        `artifacts`, a list with the entries of `model.tflite`, of the quantized files,
        and of `saved_model`, and `warnings`, a list of sentences. `lowering` tells how
        an entry's loops are written, `lowerings` what `"auto"` measured.

    Raises:
        ValueError: If an argument is not usable, the folder cannot be written, an op
            is no builtin (the message names op and layer), or the file computes
            something else than the model.
        RuntimeError: If a child process crashes or hangs.
        ImportError: If Keras does not run on TensorFlow.

    Example:

    ```python
    model = keras.Sequential([keras.Input((24, 3)), keras.layers.GRU(8)])
    result = export.export_model(model, "saved_models/demo", task="demo")
    result["artifacts"][0]["ops"]  # {"WHILE": 1, ...}
    ```
    """
    backend.require_tensorflow()
    output_dir = atomic.check_output_dir(output_dir)
    head = report.head(task, data, metrics, training)
    loop_strategies.check(loop_strategy)
    names = [layer.name for layer in cloning.all_layers(model)]
    quantize_lib.check(quantize, representative_data, float_ops, float_layers, names)
    twin = twin_lib.portable_twin(model)
    with atomic.staging(output_dir) as folder:
        variants = traced_variants.TracedVariants(
            twin,
            folder,
            signatures=signatures,
            batch_size=batch_size,
            input_shapes=input_shapes,
        )
        limits = (tolerance, min_token_agreement)
        settings = variants.settings(samples, main_signature, limits, time_limit)
        data = quantize_lib.checked_data(variants, quantize, representative_data)
        names = loop_strategies.candidates(variants, loop_strategy, settings)
        chosen, measured = loop_strategies.choose(variants, names, settings)
        artifacts = [
            _check_tflite(variants, chosen, measured, settings, folder),
            *quantize_lib.artifacts(
                variants, quantize, data, chosen, settings, float_ops, float_layers
            ),
            _check_saved_model(variants, chosen, settings, folder),
        ]
        warnings = parity.comparison_warnings(artifacts[0]["parity"], tolerance)
        result = {**head, "artifacts": artifacts, "warnings": warnings}
        atomic.write_json(folder / "report.json", result)
        page.write_page(folder / "report.html", result)
        files = [artifact["file"] for artifact in artifacts]
        names = [*files[::-1], "report.json", "report.html"]
        atomic.move_into(folder, output_dir, names)
    for name in quantize_lib.file_names():
        if name not in files:
            (output_dir / name).unlink(missing_ok=True)
    return result


def _check_tflite(variants, chosen, measured, settings, folder):
    path = variants.tflite(chosen).rename(folder / "model.tflite")
    figures, content = report.inspect(path, variants, settings)
    parity.check(figures, *settings.limits, "The TFLite file")
    return report.artifact(
        path,
        variants,
        figures,
        chosen,
        lowerings=measured,
        audit=content,
        measured=benchmark.measure(path, settings.timed, settings.time_limit),
        main_signature=settings.main_signature,
    )


def _check_saved_model(variants, chosen, settings, folder):
    path = variants.saved_model(chosen).rename(folder / "saved_model")
    run = saved_model.load(path)
    figures = parity.compare(variants.run("while"), run, settings.samples)
    parity.check(figures, *settings.limits, "The SavedModel")
    return report.artifact(path, variants, figures, chosen)
