"""Quantized files beside the float32 one, each checked and measured."""

import dataclasses
import fnmatch
import warnings

from kerasseq.export import (
    calibration_inputs,
    converter,
    layer_errors,
    loop_strategies,
    parity,
    report,
)
from kerasseq.export import samples as samples_lib
from kerasseq.lite import audit, benchmark, sample_files

PRECISIONS = ("float16", "dynamic", "int8")
_LEAST_INT8 = 0.9


def file_names():
    """The names of all quantized files."""
    return [f"model_{precision}.tflite" for precision in PRECISIONS]


def check(quantize, representative_data, float_ops=(), float_layers=(), layers=()):
    """Checks the names of the precisions and ops, before any long work.

    Args:
        quantize: Tuple out of `PRECISIONS`.
        representative_data: As in `export_model`.
        float_ops: As in `export_model`.
        float_layers: As in `export_model`.
        layers: Names of the model's layers.

    Raises:
        ValueError: If one is unknown, or int8 is asked for without data, or what stays
            float without int8.
    """
    unknown = [name for name in quantize if name not in PRECISIONS]
    if unknown or isinstance(quantize, str):
        raise ValueError(
            f"`quantize` must be a tuple out of {PRECISIONS}. "
            f"Received: quantize={quantize!r}"
        )
    if "int8" in quantize and representative_data is None:
        raise ValueError(
            "Full int8 quantization measures the range of each activation: pass "
            "`representative_data` with some hundred real inputs, such as the batches "
            "you train on, or arrays by the names of the inputs. "
            f"Received: quantize={quantize!r}, representative_data=None"
        )
    _check_float_ops(float_ops)
    _check_float_layers(float_layers, layers)
    if (float_ops or float_layers) and "int8" not in quantize:
        raise ValueError(
            "`float_ops` and `float_layers` are what the int8 file leaves in float; "
            'the others have float activations anyway. Add "int8" to `quantize`, or '
            f"leave them out. Received: float_ops={float_ops!r}, "
            f"float_layers={float_layers!r}, quantize={quantize!r}"
        )


def _check_float_layers(float_layers, layers):
    if isinstance(float_layers, str):
        raise ValueError(
            "`float_layers` must be a tuple of patterns of layers' names. "
            f"Received: float_layers={float_layers!r}"
        )
    for pattern in float_layers:
        if not fnmatch.filter(layers, pattern):
            raise ValueError(
                "Each of `float_layers` must fit the name of a layer, as 'dense*' "
                f"does. Received: {pattern!r}, which fits none of {sorted(layers)}"
            )


def _check_float_ops(float_ops):
    unknown = [name for name in float_ops if name not in audit.BUILTIN_NAMES]
    if unknown or isinstance(float_ops, str):
        raise ValueError(
            "`float_ops` must be a tuple of names of TFLite builtin ops, as in the "
            "report's `ops`, e.g. ('SOFTMAX', 'MEAN'). "
            f"Received: float_ops={float_ops!r}"
        )


def checked_data(variants, quantize, representative_data):
    """Checks representative data against the signatures.

    Args:
        variants: `traced_variants.TracedVariants`.
        quantize: Tuple out of `PRECISIONS`.
        representative_data: As in `cases.from_data`.

    Returns:
        `{signature: [{input name: array}]}`, or `None` if it is not needed.

    Raises:
        ValueError: If it does not fit, or leaves a signature out.
    """
    if "int8" not in quantize:
        return None
    signatures = variants.reference
    data = calibration_inputs.from_data(
        signatures, representative_data, "representative_data"
    )
    missing = sorted(set(signatures) - set(data))
    if missing:
        raise ValueError(
            "`representative_data` must hold inputs for every signature: missing "
            f"{missing}. Received: data for {sorted(data)}"
        )
    return samples_lib.checked(signatures, data, "representative_data")


def artifacts(
    variants, quantize, data, chosen, settings, float_ops=(), float_layers=()
):
    """Writes `model_PRECISION.tflite` for each precision, and checks them.

    Args:
        variants: `traced_variants.TracedVariants`.
        quantize: Tuple out of `PRECISIONS`.
        data: From `checked_data`.
        chosen: The loop_strategy of the float32 file.
        settings: `traced_variants.Settings`.
        float_ops: Names of builtin ops that stay float in the int8 file.
        float_layers: Patterns of names of layers that stay float in it.

    Returns:
        A list of entries of the report.

    Raises:
        ValueError: If a file holds NaN where the model has numbers, or its weights
            are not quantized.
        RuntimeError: If the converter crashes.
    """
    if not quantize:
        return []
    kinds = {
        name: loop_strategies.for_precision(variants, name, chosen, settings)
        for name in quantize
    }
    kept = {"float_ops": tuple(float_ops), "float_layers": tuple(float_layers)}
    jobs = [_job(variants, name, kind, data, kept) for name, kind in kinds.items()]
    converter.convert(jobs, variants.layers, settings.time_limit)
    return [_entry(variants, job, kinds[job.precision], settings) for job in jobs]


def _job(variants, precision, kind, data, kept):
    job = converter.Job(
        variants.saved_model(kind),
        variants.tflite(f"model_{precision}"),
        list(variants.reference),
        precision,
    )
    if precision != "int8":
        return job
    data_path = job.output.with_suffix(".data.npz")
    sample_files.write(data_path, data)
    names = tuple(layer.name for layer in variants.layers)
    return dataclasses.replace(job, data=data_path, layers=names, **kept)


def _entry(variants, job, kind, settings):
    figures, content = report.inspect(job.output, variants, settings)
    # Any finite difference is reported, not judged: what is good enough is the task's.
    parity.check(figures, float("1e300"), 0.0, f"The {job.precision} file")
    if job.precision != "float16":
        _check_effect(job, content["int8_share"])
    errors = []
    if job.precision == "int8":
        errors, reason = layer_errors.measure(job, settings.time_limit)
        if reason:
            warnings.warn(f"No error by layer in the report. {reason}", stacklevel=4)
    return report.artifact(
        job.output,
        variants,
        figures,
        kind,
        precision=job.precision,
        float_ops=list(job.float_ops),
        float_layers=list(job.float_layers),
        error_by_layer=errors,
        audit=content,
        measured=benchmark.measure(job.output, settings.timed, settings.time_limit),
        main_signature=settings.main_signature,
    )


def _check_effect(job, int8_share):
    # With ops kept in float the share is what was asked for, unless it is nothing.
    kept = job.float_ops or job.float_layers
    if int8_share and (kept or int8_share >= _LEAST_INT8):
        return
    share = "no weights that large" if int8_share is None else f"{int8_share:.2f}"
    raise ValueError(
        f"Quantization to {job.precision!r} had no effect on this model: of the "
        "weights with 1024 elements or more, which are what the converter "
        f"quantizes, at least {_LEAST_INT8} should be int8. Leave it out of "
        f"`quantize`. Received: {share}"
    )
