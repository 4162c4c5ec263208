"""The whole export: twin, SavedModel, TFLite, audit, parity, measurement, report."""

import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from kerasseq.convert import cloning, output_comparison
from kerasseq.export import (
    front_ends,
    loop_strategies,
    page,
    parity,
    quantize_options,
    report,
    row_comparison,
    serve_signature,
    traced_variants,
)
from kerasseq.export import quantize as quantize_lib
from kerasseq.export import settings as settings_lib
from kerasseq.export import twin as twin_lib
from kerasseq.utils import atomic, child_process, stages

_TWIN_SAMPLES = 3
_NO_SAVED_MODEL = (
    "There is no saved_model/: that is TensorFlow's format. Export the `.keras` file "
    "with KERAS_BACKEND=tensorflow to have one."
)


def export_model(
    model: keras.Model,
    output_dir: str | os.PathLike,
    *,
    signatures: Callable[[keras.Model], dict] | None = None,
    batch_size: int = 1,
    input_shapes: Mapping[str, tuple[int, ...]] | None = None,
    samples: Any = None,
    loop_strategy: str = "auto",
    converter: str = "auto",
    quantize: Iterable[str | quantize_options.Option] = (),
    card: dict[str, Any] | None = None,
    tolerance: float = 1e-4,
    min_token_agreement: float = 1.0,
    main_signature: str | None = None,
    time_limit: float | None = 3600,
) -> dict[str, Any]:
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
        samples: Inputs to compare on, in any form that `Int8` takes its data in. A
            signature that has none is not compared. `None` takes the first of `Int8`'s
            data, and without any makes seeded random inputs for all: uint8 is 0 to
            255, other integers are 1 or 2, and 0 where the last sample is padded.
        loop_strategy: How loops over time are exported. `"while"`: as a loop.
            `"fused"`: an LSTM that does not return its states as the one op
            `UNIDIRECTIONAL_SEQUENCE_LSTM`, which needs masks padded on the right; other
            cells as a loop. `"unrolled"`: every step as ops of its own. `"auto"`: of
            these the one that runs fastest here, of files not larger than the loop's.
        converter: `"auto"` for that of the backend: `"tensorflow"`, or on JAX
            `"litert"`, LiteRT's own. With `"litert"` a model on TensorFlow is traced by
            a process on JAX, which must be able to import its classes and `signatures`.
        quantize: List out of `"float16"` (weights), `"dynamic"` (int8 weights),
            `"int4"` (weights of dense layers, by LiteRT's converter alone) and
            `Int8(data, float_layers=(), float_ops=())` (int8 weights and activations;
            inputs and outputs stay as they are), or `Float16()`, `Dynamic()` and
            `Int4(block_size=None)`. Each writes one more file,
            `model_PRECISION.tflite`. How far its outputs are from the model's is
            reported, not judged. One that cannot be made, or whose weights stay
            float, is left out with a warning.
        card: Dict about the run for the report: `task` and `data` (names), `metrics`
            (a dict of scores), `training` (a dict: seconds, epochs, ...). Each may be
            left out.
        tolerance: Largest allowed difference of float outputs, relative to their size
            where that is above 1 (`max_scaled_diff` of the report).
        min_token_agreement: Smallest allowed fraction of samples whose integer outputs
            are all identical.
        main_signature: The signature whose latency is reported as the file's; by
            default `serve`, or else the first.
        time_limit: Seconds after which a conversion or a measurement, each in a
            process of its own, is taken to hang and is ended.

    Returns:
        The report, a dict as in `report.json`: `task`, `data`, `metrics`, `training`,
        `artifacts`, a list with the entries of `model.tflite`, of the quantized files,
        and of `saved_model`, and `warnings`, a list of sentences. `lowering` is the
        loop strategy of an entry, `lowerings` what `"auto"` measured.

    Raises:
        ValueError: If an argument is not usable, the folder cannot be written, an op
            is no builtin (the message names op and layer), or the file computes
            something else than the model.
        RuntimeError: If a child process crashes or hangs.
        ImportError: If Keras runs on another backend than TensorFlow or JAX, or a
            converter is not installed.

    Example:

    ```python
    model = keras.Sequential([keras.Input((24, 3)), keras.layers.GRU(8)])
    result = export.export_model(model, "saved_models/demo", card={"task": "demo"})
    result["artifacts"][0]["ops"]  # {"WHILE": 1, ...}
    ```
    """
    loop_strategies.check(loop_strategy)
    return _export(
        model,
        output_dir,
        {
            "signatures": signatures,
            "batch_size": batch_size,
            "input_shapes": input_shapes,
        },
        {
            "samples": samples,
            "main_signature": main_signature,
            "tolerance": tolerance,
            "min_token_agreement": min_token_agreement,
            "time_limit": time_limit,
        },
        loop_strategy,
        converter,
        quantize,
        card,
    )


def export_stablehlo(
    path: str | os.PathLike,
    output_dir: str | os.PathLike,
    *,
    samples: Any = None,
    quantize: Iterable[str | quantize_options.Option] = (),
    card: dict[str, Any] | None = None,
    tolerance: float = 1e-4,
    min_token_agreement: float = 1.0,
    time_limit: float | None = 3600,
) -> dict[str, Any]:
    """Exports a function of JAX, of any library, as one builtin-only TFLite file.

    As `export_model`, with the same checks and the same files, from the artifact that
    `jax.export` writes. Keras must run on JAX.

    Args:
        path: Path of a file with the bytes of `jax.export.Exported.serialize()`. The
            file has one signature `serve`. Inputs have the names of keyword arguments
            and of keys, positional ones are `args_0`, `args_1`; outputs have the names
            of keys, or `output_0`, `output_1`.
        output_dir: As for `export_model`, and so are the other arguments.

    Returns:
        The report, as `export_model`.

    Raises:
        ValueError: As `export_model`, or if the file is no such artifact, for another
            device than a CPU, or with a size that is not fixed.
        RuntimeError: If a child process crashes or hangs.
        ImportError: If Keras does not run on JAX, or the converter is not installed.

    Example:

    ```python
    exported = jax.export.export(jax.jit(f), platforms=["cpu"])(x)
    pathlib.Path("f.stablehlo").write_bytes(exported.serialize())
    export.export_stablehlo("f.stablehlo", "saved_models/f")
    ```
    """
    if keras.backend.backend() != "jax":
        raise ImportError(
            "StableHLO is traced by JAX; start the process with KERAS_BACKEND=jax. "
            f"Received: KERAS_BACKEND={keras.backend.backend()}"
        )
    from kerasseq.export.stablehlo import artifact

    entry = artifact.read(path)
    return _export(
        None,
        output_dir,
        {"signatures": lambda _: {"serve": entry}},
        {
            "samples": samples,
            "tolerance": tolerance,
            "min_token_agreement": min_token_agreement,
            "time_limit": time_limit,
        },
        "while",
        "litert",
        quantize,
        card,
    )


def _export(
    model, output_dir, signatures, comparison, loop_strategy, converter, quantize, card
):
    """The export of a model, or of what `signatures` returns without one."""
    destination = atomic.check_output_dir(output_dir)
    card = report.checked_card(card)
    options = quantize_options.parse(quantize)
    front_end = front_ends.choose(converter, [x.precision for x in options])
    child_process.prepare(front_end.preload)  # while this process is busy elsewhere
    has_data = any(isinstance(x, quantize_options.Int8) for x in options)
    has_samples = comparison["samples"] is not None or has_data
    real = has_samples and signatures["signatures"] is None
    progress = stages.Stages(3 + len(options))
    progress.begin("the graph")
    twin = None if model is None else twin_lib.portable_twin(model, compare=not real)
    layers = cloning.all_layers(twin) if twin else []
    quantize_options.check_layers(options, [layer.name for layer in layers])
    with atomic.staging(destination) as folder:
        variants = traced_variants.TracedVariants(front_end, twin, folder, **signatures)
        data = quantize_lib.checked_data(variants, options)
        settings = settings_lib.make(
            variants.reference, representative=data, **comparison
        )
        if real:
            _check_twin(model, twin, settings.samples["serve"])
        artifacts, warnings = _artifacts(
            variants, settings, loop_strategy, options, data, folder, progress
        )
        warnings += parity.comparison_warnings(
            artifacts[0]["parity"], settings.tolerance
        )
        if signatures["signatures"] is None:
            warnings += row_comparison.warnings_of(twin, variants.reference, settings)
        if keras.backend.backend() != "tensorflow":
            warnings.append(_NO_SAVED_MODEL)
        result = {**card, "artifacts": artifacts, "warnings": warnings}
        _publish(result, folder, destination)
    return result


def _check_twin(model, twin, samples):
    """Compares a twin with its model on real inputs."""
    inputs = (serve_signature.call_argument(model, x) for x in samples[:_TWIN_SAMPLES])
    output_comparison.check(model, twin, inputs)


def _artifacts(variants, settings, loop_strategy, options, data, folder, progress):
    """Writes and checks all files in `folder`; their entries, and warnings."""
    progress.begin("model.tflite")
    names = loop_strategies.candidates(variants, loop_strategy, settings)
    chosen, measured = loop_strategies.choose(variants, names, settings)
    full = _tflite(variants, chosen, settings, folder) | {"lowerings": measured}
    options = progress.each(options, lambda x: quantize_lib.file_name(x.precision))
    quantized, warnings = quantize_lib.artifacts(
        variants, options, data, chosen, settings, full["bytes"]
    )
    progress.begin("saved_model and the report")
    saved_model = _saved_model(variants, chosen, settings, folder)
    return [full, *quantized, *saved_model], warnings


def _tflite(variants, chosen, settings, folder):
    path = variants.tflite(chosen).rename(folder / "model.tflite")
    figures, content = report.inspect(path, variants, settings)
    settings.check(figures, "The TFLite file")
    entry = report.artifact(path, variants, figures, chosen)
    return entry | report.measurements(path, content, settings)


def _saved_model(variants, chosen, settings, folder):
    if keras.backend.backend() != "tensorflow":
        return []
    from kerasseq.export.saved_model import tracing

    path = folder / "saved_model"
    if variants.front_end.traces_elsewhere:
        tracing.write(variants.traced(chosen), path)
    else:
        variants.source(chosen).rename(path)
    run = tracing.load(path)
    figures = parity.compare(variants.run("while"), run, settings.samples)
    settings.check(figures, "The SavedModel")
    return [report.artifact(path, variants, figures, chosen)]


def _publish(result: dict, folder: pathlib.Path, output_dir: pathlib.Path) -> None:
    """Moves all files into place, and removes others of an earlier export."""
    files = [artifact["file"] for artifact in result["artifacts"]]
    atomic.write_json(folder / "report.json", result)
    page.write_page(folder / "report.html", result)
    names = [*files[::-1], "report.json", "report.html"]
    obsolete = {*quantize_lib.file_names(), "saved_model"} - set(files)
    atomic.move_into(folder, output_dir, names, sorted(obsolete))
