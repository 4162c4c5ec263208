"""The entries of `report.json`."""

from kerasseq import lite
from kerasseq.export import parity
from kerasseq.lite import audit
from kerasseq.utils import atomic


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


def inspect(path, variants, settings):
    """Compares a TFLite file with the model and looks into it.

    Args:
        path: Path of the file.
        variants: `traced_variants.TracedVariants`.
        settings: `traced_variants.Settings`.

    Returns:
        `(figures, content)`, from `parity.compare` and `audit.audit_file`.

    Raises:
        ValueError: If it holds ops that are no builtins.
    """
    content = audit.audit_file(path)
    audit.check_builtin(content)
    runner = lite.Runner(path)

    def run(name, inputs):
        return runner.run(name, **inputs)

    return parity.compare(variants.run("while"), run, settings.samples), content


def artifact(path, variants, figures, loop_strategy, **found):
    """Builds the entry of one exported file or folder.

    Args:
        path: Its path.
        variants: `traced_variants.TracedVariants`.
        figures: What `parity.compare` returned for it.
        loop_strategy: How its loops over time are written.
        **found: What else is known: `precision`, `float_ops`, `float_layers`,
            `error_by_layer` (from `layer_errors.measure`), `lowerings`, `audit`
            (from `audit.audit_file`), `measured` (from `measure.measure`) and
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
        "signatures": list(variants.reference),
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
        "lowering": loop_strategy if variants.num_steps else None,
        "lowerings": found.get("lowerings", {}),
        "int8_share": content.get("int8_share"),
        "float_ops": found.get("float_ops", []),
        "float_layers": found.get("float_layers", []),
        "error_by_layer": found.get("error_by_layer", []),
    }


def _num_bytes(path):
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
