"""The entries of `report.json`."""

from kerasseq import atomic, lite
from kerasseq.export import audit, parity


def head(task, data, metrics, training):
    """Checks and collects what the caller says about the run.

    Args:
        task: Name of the task, or `None`.
        data: Name or description of the data, or `None`.
        metrics: Dict of scores, or `None`.
        training: Dict about the training, or `None`.

    Returns:
        A dict with the keys `task`, `data`, `metrics` and `training`.

    Raises:
        ValueError: If a value cannot be written as JSON, or is no dict where one is
            wanted.
    """
    for name, value in (("metrics", metrics), ("training", training)):
        if value is not None and not isinstance(value, dict):
            raise ValueError(
                f"`{name}` must be a dict or `None`. Received: {name}={value!r}"
            )
    values = {
        "task": task,
        "data": data,
        "metrics": metrics or {},
        "training": training or {},
    }
    return atomic.plain(values)


def inspect(path, forms, settings):
    """Compares a TFLite file with the model and looks into it.

    Args:
        path: Path of the file.
        forms: `forms.Forms`.
        settings: `forms.Settings`.

    Returns:
        `(figures, content)`, from `parity.compare` and `audit.audit`.

    Raises:
        ValueError: If it holds ops that are no builtins.
    """
    content = audit.audit(path)
    audit.check_builtin(content)
    runner = lite.Runner(path)

    def run(name, inputs):
        return runner.run(name, **inputs)

    return parity.compare(forms.run("while"), run, settings.samples), content


def artefact(path, forms, figures, lowering, **found):
    """Builds the entry of one exported file or folder.

    Args:
        path: Its path.
        forms: `forms.Forms`.
        figures: What `parity.compare` returned for it.
        lowering: How its loops over time are written.
        **found: What else is known: `precision`, `float_ops`, `float_layers`,
            `error_by_layer` (from `layer_errors.measure`), `lowerings`, `audit`
            (from `audit.audit`), `measured` (from `measure.measure`) and
            `main_signature`, whose latency stands for the file.

    Returns:
        A dict; what was not measured is `None`.
    """
    content, measured = found.get("audit", {}), found.get("measured", {})
    latencies = measured.get("latency_ms_by_signature", {})
    return {
        "file": path.name,
        "bytes": _num_bytes(path),
        "precision": found.get("precision", "float32"),
        "signatures": list(forms.reference),
        "ops": content.get("ops", {}),
        "flex_ops": [],
        "custom_ops": [],
        "gpu_refused_ops": content.get("gpu_refused_ops", []),
        "dynamic_shapes": content.get("dynamic_shapes", False),
        "max_abs_diff": parity.largest(figures),
        "mean_abs_diff": parity.largest(figures, "mean_abs_diff"),
        "latency_ms": latencies.get(found.get("main_signature")),
        "peak_memory_mib": measured.get("peak_memory_mib"),
        "metrics": {},
        "latency_ms_by_signature": latencies,
        "parity": figures,
        "lowering": lowering if forms.num_steps else None,
        "lowerings": found.get("lowerings", {}),
        "int8_share": content.get("int8_share"),
        "float_ops": found.get("float_ops", []),
        "float_layers": found.get("float_layers", []),
        "error_by_layer": found.get("error_by_layer", []),
    }


def _num_bytes(path):
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
