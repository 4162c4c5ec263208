"""An examination as text: the verdict, a summary, the findings, then lists."""

import textwrap
from collections.abc import Mapping
from typing import Any

_WIDTH = 88
_LABEL = 14
_LONGEST = 4000  # characters of an entry; a damaged file can hold very long names
_MOST_PIECES = 8
_MOST_SIGNATURES = 8


def text(result: dict[str, Any], verbose: bool = False) -> str:
    """Writes an examination for a person to read.

    Args:
        result: What `doctor.examine` returned.
        verbose: Whether to list what the file holds, too.

    Returns:
        Lines of text.
    """
    lines = [verdict(result), *_facts(result), ""]
    for found in result["findings"]:
        lines += [*_wrap(found["severity"], found["what"])]
        lines += [*_wrap("  where", found["where"]), *_wrap("  do", found["do"]), ""]
    if verbose:
        lines += _lists(result)
    for part in result.get("parts", ()):
        lines += ["", *text(part, verbose).splitlines()]
    # A name in a damaged file may hold anything.
    lines = ["".join(c if c.isprintable() else "?" for c in line) for line in lines]
    return "\n".join(lines).rstrip()


def verdict(result: dict[str, Any]) -> str:
    """The first line: the status, for what, of which file, and how many findings."""
    if result["status"] == "unreadable":
        return f"UNREADABLE  {result['file']}"
    counts = [found["severity"] for found in result["findings"]]
    counted = ", ".join(
        f"{counts.count(name)} {name}{'s' if counts.count(name) > 1 else ''}"
        for name in dict.fromkeys(counts)
    )
    words = f"{result['status'].upper()} for {result['target']}"
    return f"{words}  {result['file']}  ({counted or 'no findings'})"


def summary(result: dict[str, Any]) -> list[tuple[str, str]]:
    """What a file is, in few lines.

    Args:
        result: What `doctor.examine` returned.

    Returns:
        Pairs of a label and a text; none for a file that could not be read.
    """
    if "ops" not in result:
        return []
    graphs, state = result["subgraphs"], result["quantization"]["state"]
    within = f" in {len(graphs)} subgraphs" if len(graphs) > 1 else ""
    size = f"{result['bytes']:,} bytes, {sum(result['ops'].values())} ops{within}"
    runtime = result["runtime"]
    loads = "loads" if runtime["loads"] else "does not load"
    rows = [("file", f"{size}, quantization {state}")]
    rows += [("signature", line) for line in _signatures(result)]
    rows += [("packed files", packed)] if (packed := _packed(result)) else []
    rows += [("runtime", f"ai-edge-litert {runtime['version']}, {loads}")]
    return rows + _for_target(result) + measured(result)


def measured(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Latency and memory, as pairs of a label and a text."""
    run = result.get("run", {})
    if "latency_ms" not in run:
        return []
    rows = [
        (
            "latency",
            f"{name}: {times['one_thread']:.3f} ms with 1 thread, "
            f"{times['all_threads']:.3f} ms with {run['threads']}",
        )
        for name, times in run["latency_ms"].items()
    ]
    memory = f"{run['peak_memory_mib']:.1f} MiB with 1 thread"
    return [*rows, ("peak memory", memory), ("inputs", run["inputs"])]


def lists(result: dict[str, Any]) -> list[tuple[str, str]]:
    """What a file holds, as pairs of a label and a text."""
    pieces = [
        (piece["device"], f"{name}: {_counts(piece['ops'])}")
        for name, entry in result["gpu"]["entries"].items()
        for piece in entry["pieces"]
        if result["target"] == "gpu"
    ]
    more, weights = len(pieces) - _MOST_PIECES, result["quantization"]["weights"]
    rows = [
        ("needs runtime", result["min_runtime_version"]),
        ("description", result["description"]),
        ("tensors", _counts(result["tensor_types"])),
        ("weights", ", ".join(f"{kind}: {n:,} bytes" for kind, n in weights.items())),
        *pieces[:_MOST_PIECES],
        ("", f"and {more} more pieces" if more > 0 else ""),
    ]
    return [(label, value) for label, value in rows if value]


def op_rows(result: dict[str, Any]) -> list[tuple[str, int, int]]:
    """`(name, count, bytes of constants)` of ops, those with most bytes first."""
    ops, sizes = result["ops"], result["constants"]["bytes_by_op"]
    names = sorted({*ops, *sizes}, key=lambda name: (-sizes.get(name, 0), name))
    return [(name, ops.get(name, 0), sizes.get(name, 0)) for name in names]


def _facts(result):
    for label, value in summary(result):
        yield from _wrap(label, value)


def _lists(result):
    if "ops" not in result:
        return
    for label, value in lists(result):
        yield from _wrap(label, value)
    rows = op_rows(result)
    width = max([len(name) for name, _, _ in rows] + [2])
    yield ""
    yield f"{'op':{width}}  {'count':>6}  {'bytes':>13}"
    for name, count, size in rows:
        yield f"{name:{width}}  {count:>6}  {size:>13,}"


def _signatures(result):
    signatures = result["signatures"] or {
        "(no signature)": {
            side: {spec["name"]: spec for spec in result[side]}
            for side in ("inputs", "outputs")
        }
    }
    lines = []
    for name, signature in signatures.items():
        inputs, outputs = (_specs(signature[side]) for side in ("inputs", "outputs"))
        lines.append(f"{name}: {inputs} -> {outputs}")
    more = len(lines) - _MOST_SIGNATURES
    return lines[:_MOST_SIGNATURES] + ([f"and {more} more"] if more > 0 else [])


def _specs(specs):
    words = []
    for name, spec in specs.items():
        sizes = ", ".join("?" if size is None else str(size) for size in spec["shape"])
        words.append(f"{name} {spec['dtype']} ({sizes})")
    return "; ".join(words) or "nothing"


def _for_target(result):
    if result["target"] == "gpu":
        return [
            ("gpu", f"{name}: {entry['gpu_ops']} of {entry['ops']} ops")
            for name, entry in result["gpu"]["entries"].items()
        ]
    arena = result["microcontroller"]["arena"]
    if result["target"] == "microcontroller" and arena:
        kib = {key: f"{arena[key] / 1024:,.1f} KiB" for key in ("arena", "peak")}
        return [("arena", f"about {kib['arena']}, tensors at once {kib['peak']}")]
    return []


def _packed(result):
    entries = result["packed_files"]
    return ", ".join(f"{entry['name']} ({entry['bytes']:,} bytes)" for entry in entries)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} x{count}" for name, count in counts.items())


def _wrap(label, value):
    indent = " " * _LABEL
    start = f"{label:<{_LABEL}}"
    return textwrap.wrap(
        value[:_LONGEST], _WIDTH, initial_indent=start, subsequent_indent=indent
    )
