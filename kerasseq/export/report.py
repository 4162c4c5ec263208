"""The entries of `report.json`."""

import pathlib

from kerasseq import atomic
from kerasseq.export import parity


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


def artefact(
    file,
    *,
    size,
    signatures,
    ops,
    figures,
    dynamic_shapes=False,
    measured=None,
    main_signature=None,
):
    """Builds the entry of one exported file.

    Args:
        file: Name of the file or folder.
        size: Its size in bytes.
        signatures: Names of its signatures.
        ops: `{op name: count}` of a TFLite file, else empty.
        figures: What `parity.compare` returned for it.
        dynamic_shapes: Whether a tensor has a size that is not fixed.
        measured: What `measure.measure` returned, or `None` if it was not timed.
        main_signature: The signature whose latency stands for the file.

    Returns:
        A dict; what was not measured is `None`.
    """
    latencies = measured["latency_ms_by_signature"] if measured else {}
    return {
        "file": file,
        "bytes": size,
        "precision": "float32",
        "signatures": signatures,
        "ops": ops,
        "flex_ops": [],
        "custom_ops": [],
        "dynamic_shapes": dynamic_shapes,
        "max_abs_diff": parity.max_abs_diff(figures),
        "latency_ms": latencies.get(main_signature),
        "peak_memory_mib": measured["peak_memory_mib"] if measured else None,
        "metrics": {},
        "latency_ms_by_signature": latencies,
        "parity": figures,
    }


def folder_bytes(path):
    """Adds up the sizes of all files in a folder.

    Args:
        path: Path of the folder.

    Returns:
        The number of bytes.
    """
    return sum(f.stat().st_size for f in pathlib.Path(path).rglob("*") if f.is_file())
