"""The entries of `report.json`."""

import os
import pathlib
from typing import Any

from kerasseq import lite
from kerasseq.export import parity
from kerasseq.export import settings as settings_lib
from kerasseq.export import traced_variants as variants_lib
from kerasseq.lite import _stateful_runner, audit, benchmark
from kerasseq.utils import atomic

_CARD: dict[str, Any] = {"task": None, "data": None, "metrics": {}, "training": {}}


def checked_card(card: dict[str, Any] | None) -> dict[str, Any]:
    """Checks what the caller says about the run, and completes it.

    Args:
        card: Dict out of `task`, `data`, `metrics` (a dict) and `training` (a dict),
            or `None`.

    Returns:
        A dict with all four keys.

    Raises:
        ValueError: If a key is unknown, a value cannot be written as JSON, or is no
            dict where one is wanted.
    """
    card = {} if card is None else card
    if not isinstance(card, dict) or not set(card) <= set(_CARD):
        raise ValueError(
            f"`card` must be a dict with keys out of {list(_CARD)}. "
            f"Received: card={card!r}"
        )
    filled = {**_CARD, **{k: v for k, v in card.items() if v is not None}}
    for name in ("metrics", "training"):
        if not isinstance(filled[name], dict):
            raise ValueError(
                f"`{name}` of `card` must be a dict or `None`. "
                f"Received: card['{name}']={filled[name]!r}"
            )
    return atomic.plain(filled, "`card`")


def inspect(
    path: os.PathLike,
    variants: variants_lib.TracedVariants,
    settings: settings_lib.Settings,
) -> tuple[parity.Figures, dict]:
    """Compares a TFLite file with the model and reads what it holds.

    Args:
        path: Path of the file.
        variants: `traced_variants.TracedVariants`.
        settings: `settings.Settings`.

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


def artifact(
    path: pathlib.Path,
    variants: variants_lib.TracedVariants,
    figures: parity.Figures,
    loop_strategy: str,
) -> dict[str, Any]:
    """The entry of one exported file or folder, with nothing measured in it yet.

    Args:
        path: Its path.
        variants: `traced_variants.TracedVariants`.
        figures: What `parity.compare` returned for it.
        loop_strategy: The loop strategy it was exported with.

    Returns:
        A dict with all keys of an entry.
    """
    return {
        "file": path.name,
        "bytes": _num_bytes(path),
        "precision": "float32",
        "signatures": list(variants.reference),
        "ops": {},
        "flex_ops": [],
        "custom_ops": [],
        "gpu_refused_ops": [],
        "dynamic_shapes": False,
        **parity.worst(figures),
        "latency_ms": None,
        "peak_memory_mib": None,
        "state_bytes": {},
        "metrics": {},
        "latency_ms_by_signature": {},
        "parity": figures,
        "lowering": loop_strategy if variants.num_steps else None,
        "lowerings": {},
        "int8_share": None,
        "float_ops": [],
        "float_layers": [],
        "error_by_layer": [],
    }


def measurements(
    path: os.PathLike, content: dict, settings: settings_lib.Settings
) -> dict[str, Any]:
    """What a TFLite file holds, and its latency and memory in a process of its own.

    Args:
        path: Path of the file.
        content: What `audit.audit_file` returned.
        settings: `settings.Settings`.

    Returns:
        A dict with keys of an entry.
    """
    measured = benchmark.measure(path, settings.timed, settings.time_limit)
    names = ("ops", "gpu_refused_ops", "dynamic_shapes", "int8_share")
    latencies = measured["latency_ms_by_signature"]
    return {
        **{name: content[name] for name in names},
        "latency_ms": latencies[settings.main_signature],
        "latency_ms_by_signature": latencies,
        "peak_memory_mib": measured["peak_memory_mib"],
        "state_bytes": _stateful_runner.state_bytes(lite.Runner(path).signatures),
    }


def _num_bytes(path):
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
