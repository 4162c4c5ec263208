"""Quantised files beside the float32 one, each checked and measured."""

from kerasseq.export import (
    audit,
    cases,
    converter,
    lowerings,
    measure,
    parity,
    report,
)
from kerasseq.export import samples as samples_lib

PRECISIONS = ("float16", "dynamic", "int8")
_LEAST_INT8 = 0.9


def file_names():
    """The names of all quantised files."""
    return [f"model_{precision}.tflite" for precision in PRECISIONS]


def check(quantize, representative_data, float_ops=()):
    """Checks the names of the precisions and ops, before any long work.

    Args:
        quantize: Tuple out of `PRECISIONS`.
        representative_data: As in `export_model`.
        float_ops: As in `export_model`.

    Raises:
        ValueError: If one is unknown, or int8 is asked for without data, or float ops
            without int8.
    """
    unknown = [name for name in quantize if name not in PRECISIONS]
    if unknown or isinstance(quantize, str):
        raise ValueError(
            f"`quantize` must be a tuple out of {PRECISIONS}. "
            f"Received: quantize={quantize!r}"
        )
    if "int8" in quantize and representative_data is None:
        raise ValueError(
            "Full int8 quantisation measures the range of each activation: pass "
            "`representative_data` with some hundred real inputs, such as the batches "
            "you train on, or arrays by the names of the inputs. "
            f"Received: quantize={quantize!r}, representative_data=None"
        )
    _check_float_ops(float_ops, quantize)


def _check_float_ops(float_ops, quantize):
    unknown = [name for name in float_ops if name not in audit.BUILTIN_NAMES]
    if unknown or isinstance(float_ops, str):
        raise ValueError(
            "`float_ops` must be a tuple of names of TFLite builtin ops, as in the "
            "report's `ops`, e.g. ('SOFTMAX', 'MEAN'). "
            f"Received: float_ops={float_ops!r}"
        )
    if float_ops and "int8" not in quantize:
        raise ValueError(
            "`float_ops` are what the int8 file leaves in float; the others have float "
            'activations anyway. Add "int8" to `quantize`, or leave `float_ops` out. '
            f"Received: float_ops={float_ops!r}, quantize={quantize!r}"
        )


def checked_data(forms, quantize, representative_data):
    """Checks representative data against the signatures.

    Args:
        forms: `forms.Forms`.
        quantize: Tuple out of `PRECISIONS`.
        representative_data: As in `cases.from_data`.

    Returns:
        `{signature: [{input name: array}]}`, or `None` if it is not needed.

    Raises:
        ValueError: If it does not fit, or leaves a signature out.
    """
    if "int8" not in quantize:
        return None
    signatures = forms.reference
    data = cases.from_data(signatures, representative_data, "representative_data")
    missing = sorted(set(signatures) - set(data))
    if missing:
        raise ValueError(
            "`representative_data` must hold inputs for every signature: missing "
            f"{missing}. Received: data for {sorted(data)}"
        )
    return samples_lib.checked(signatures, data, "representative_data")


def artefacts(forms, quantize, data, chosen, settings, float_ops=()):
    """Writes `model_PRECISION.tflite` for each precision, and checks them.

    Args:
        forms: `forms.Forms`.
        quantize: Tuple out of `PRECISIONS`.
        data: From `checked_data`.
        chosen: The lowering of the float32 file.
        settings: `forms.Settings`.
        float_ops: Names of builtin ops that stay float in the int8 file.

    Returns:
        A list of entries of the report.

    Raises:
        ValueError: If a file holds NaN where the model has numbers, or its weights
            are not quantised.
        RuntimeError: If the converter crashes.
    """
    if not quantize:
        return []
    kinds = {
        name: lowerings.for_precision(forms, name, chosen, settings)
        for name in quantize
    }
    jobs = [_job(forms, name, kind, data, float_ops) for name, kind in kinds.items()]
    converter.convert(jobs, forms.layers, settings.time_limit)
    return [_entry(forms, job, kinds[job.precision], settings) for job in jobs]


def _job(forms, precision, kind, data, float_ops):
    output = forms.tflite(f"model_{precision}")
    data_path, kept = None, ()
    if precision == "int8":
        data_path = output.with_suffix(".data.npz")
        samples_lib.write(data_path, data)
        kept = tuple(float_ops)
    saved_model = forms.saved_model(kind)
    return converter.Job(
        saved_model, output, list(forms.reference), precision, data_path, kept
    )


def _entry(forms, job, kind, settings):
    figures, content = report.inspect(job.output, forms, settings)
    # Any finite difference is reported, not judged: what is good enough is the task's.
    parity.check(figures, float("1e300"), 0.0, f"The {job.precision} file")
    if job.precision != "float16":
        _check_effect(job, content["int8_share"])
    return report.artefact(
        job.output,
        forms,
        figures,
        kind,
        precision=job.precision,
        float_ops=list(job.float_ops),
        audit=content,
        measured=measure.measure(job.output, settings.timed, settings.time_limit),
        main_signature=settings.main_signature,
    )


def _check_effect(job, int8_share):
    # With ops kept in float the share is what was asked for, unless it is nothing.
    if int8_share and (job.float_ops or int8_share >= _LEAST_INT8):
        return
    share = "no weights that large" if int8_share is None else f"{int8_share:.2f}"
    raise ValueError(
        f"Quantisation to {job.precision!r} had no effect on this model: of the "
        "weights with 1024 elements or more, which are what the converter "
        f"quantises, at least {_LEAST_INT8} should be int8. Leave it out of "
        f"`quantize`. Received: {share}"
    )
