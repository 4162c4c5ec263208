"""Quantized files beside the float32 one, each checked and measured."""

import dataclasses
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kerasseq.export import (
    calibration_inputs,
    converter,
    loop_strategies,
    parity,
    quantize_options,
    report,
)
from kerasseq.export import samples as samples_lib
from kerasseq.export import settings as settings_lib
from kerasseq.export import traced_variants as variants_lib
from kerasseq.lite import sample_files

_MIN_INT8_FRACTION = 0.9


def file_names() -> list[str]:
    """The names of all quantized files."""
    return [file_name(name) for name in quantize_options.PRECISIONS]


def file_name(precision: str) -> str:
    """The name of the quantized file of a precision."""
    return f"model_{precision}.tflite"


def checked_data(
    variants: variants_lib.TracedVariants,
    options: Sequence[quantize_options.Option],
) -> samples_lib.Samples | None:
    """Checks the data of `Int8` against the signatures.

    Args:
        variants: `traced_variants.TracedVariants`.
        options: From `quantize_options.parse`.

    Returns:
        `{signature: [{input name: array}]}`, or `None` without an int8 file.

    Raises:
        ValueError: If it does not fit, or leaves a signature out.
    """
    given = [x.data for x in options if isinstance(x, quantize_options.Int8)]
    if not given:
        return None
    signatures, argument = variants.reference, "Int8(data)"
    data = calibration_inputs.from_data(signatures, given[0], argument)
    missing = sorted(set(signatures) - set(data))
    if missing:
        raise ValueError(
            "The data of `Int8(data)` must hold inputs for every signature: missing "
            f"{missing}. Received: data for {sorted(data)}"
        )
    data = samples_lib.checked(signatures, data, argument)
    for signature, name, rows in _inputs(data):
        finite = [bool(np.isfinite(x).all()) for x in rows]
        if not all(finite):
            raise ValueError(
                "The data of `Int8(data)` must be finite, since int8 takes the range "
                "of each activation from it. Received: NaN or infinity in input "
                f"'{name}' of signature '{signature}', sample {finite.index(False)}"
            )
    return data


def _inputs(data):
    """`(signature, name, arrays)` of each float input."""
    for signature, rows in data.items():
        for name, first in rows[0].items():
            if np.issubdtype(first.dtype, np.floating):
                yield signature, name, [inputs[name] for inputs in rows]


def _constant_inputs(data):
    """A sentence for each float input that is the same in all samples."""
    return [
        f"Input '{name}' of signature '{signature}' is the same in all {len(rows)} "
        "samples of `Int8(data)`, so int8 knows the range of this one value alone."
        for signature, name, rows in _inputs(data or {})
        if len(rows) > 1 and all(np.array_equal(x, rows[0]) for x in rows)
    ]


def artifacts(
    variants: variants_lib.TracedVariants,
    options: Iterable[quantize_options.Option],
    data: samples_lib.Samples | None,
    chosen: str,
    settings: settings_lib.Settings,
    full_bytes: int,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Writes `model_PRECISION.tflite` for each precision, and checks them.

    One that cannot be made takes nothing from the others.

    Args:
        variants: `traced_variants.TracedVariants`.
        options: From `quantize_options.parse`.
        data: From `checked_data`.
        chosen: The loop strategy of the float32 file.
        settings: `settings.Settings`.
        full_bytes: The size of the float32 file.

    Returns:
        `(entries, warnings)`: entries of the report, and a sentence for each file that
        cannot be made or is larger than the float32 one, for each output that is far
        from the model's, and for each input without a range.
    """
    entries, doubts = [], _constant_inputs(data)
    for option in options:
        try:
            entry = _artifact(variants, option, data, chosen, settings)
        except (ValueError, RuntimeError) as error:
            doubts.append(f"There is no {file_name(option.precision)}. {error}")
            variants.tflite(f"model_{option.precision}").unlink(missing_ok=True)
            continue
        entries.append(entry)
        doubts += parity.error_warnings(entry["parity"], entry["file"])
        if entry["bytes"] > full_bytes:
            doubts.append(
                f"{entry['file']} is larger than model.tflite: {entry['bytes']:,} and "
                f"{full_bytes:,} bytes."
            )
    return entries, doubts


def _artifact(variants, option, data, chosen, settings):
    strategy = loop_strategies.for_precision(
        variants, option.precision, chosen, settings
    )
    job = _job(variants, option, strategy, data)
    converter.convert(variants.front_end, [job], variants.layers, settings.time_limit)
    return _entry(variants, job, strategy, settings)


def _job(variants, option, loop_strategy, data):
    job = converter.Job(
        variants.source(loop_strategy),
        variants.tflite(f"model_{option.precision}"),
        list(variants.reference),
        option.precision,
    )
    if isinstance(option, quantize_options.Int4):
        return dataclasses.replace(job, block_size=option.block_size)
    if not isinstance(option, quantize_options.Int8):
        return job
    data_path = job.output.with_suffix(".data.npz")
    sample_files.write(data_path, data)
    return dataclasses.replace(
        job,
        data=data_path,
        float_ops=tuple(option.float_ops),
        float_layers=tuple(option.float_layers),
        layers=tuple(layer.name for layer in variants.layers),
    )


def _entry(variants, job, loop_strategy, settings):
    figures, content = report.inspect(job.output, variants, settings)
    # Any finite difference is reported, not judged: what is good enough is the task's.
    parity.check(figures, float("1e300"), 0.0, f"The {job.precision} file")
    if job.precision != "float16":
        _check_effect(job, content)
    return {
        **report.artifact(job.output, variants, figures, loop_strategy),
        **report.measurements(job.output, content, settings),
        "precision": job.precision,
        "float_ops": list(job.float_ops),
        "float_layers": list(job.float_layers),
        "error_by_layer": _errors(variants, job, settings),
    }


def _errors(variants, job, settings):
    if job.precision != "int8":
        return []
    errors, reason = variants.front_end.layer_errors(job, settings.time_limit)
    if reason:
        warnings.warn(f"No error by layer in the report. {reason}", stacklevel=5)
    return errors


def _check_effect(job, content):
    int8_fraction = content["int8_share"]
    if int8_fraction is None and job.precision == "int8":
        int8_fraction = float("INT8" in content["tensor_types"])
    # With ops kept in float the fraction is what was asked for, unless it is nothing.
    kept = job.float_ops or job.float_layers
    if int8_fraction and (kept or int8_fraction >= _MIN_INT8_FRACTION):
        return
    found = "no weights that large" if int8_fraction is None else f"{int8_fraction:.2f}"
    raise ValueError(
        f"Quantization to {job.precision!r} had no effect on this model: of the "
        "weights with 1024 elements or more, which are what the converter "
        f"quantizes, at least {_MIN_INT8_FRACTION} should be integers. Leave it out of "
        f"`quantize`. Received: {found}"
    )
