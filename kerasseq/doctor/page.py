"""An examination as text."""

import textwrap
from typing import Any

_WIDTH = 88
_LABEL = 14
_LONGEST = 4000  # characters of an entry; a damaged file can hold very long names
_MOST_PIECES = 8


def text(result: dict[str, Any]) -> str:
    """Writes an examination for a person to read.

    Args:
        result: What `doctor.examine` returned.

    Returns:
        Lines of text: the verdict, the findings, then what the file holds.
    """
    lines = [_verdict(result), ""]
    for found in result["findings"]:
        lines += [*_wrap(found["severity"], found["what"])]
        lines += [*_wrap("  where", found["where"]), *_wrap("  do", found["do"]), ""]
    for part in result.get("parts", ()):
        lines += ["", *text(part).splitlines()]
    if result["status"] != "unreadable" and "parts" not in result:
        lines += [*_ends(result), *_tables(result), *_cut(result), *_measured(result)]
    # A name in a damaged file may hold anything.
    lines = ["".join(c if c.isprintable() else "?" for c in line) for line in lines]
    return "\n".join(lines).rstrip()


def _verdict(result):
    if result["status"] == "unreadable":
        return f"UNREADABLE  {result['file']}"
    counts = [found["severity"] for found in result["findings"]]
    counted = ", ".join(
        f"{counts.count(name)} {name}{'s' if counts.count(name) > 1 else ''}"
        for name in dict.fromkeys(counts)
    )
    verdict = f"{result['status'].upper()} for {result['target']}"
    return f"{verdict}  {result['file']}  ({counted or 'no findings'})"


def _ends(result):
    signatures = result["signatures"] or {
        "(no signature)": {
            side: {spec["name"]: spec for spec in result[side]}
            for side in ("inputs", "outputs")
        }
    }
    for name, signature in signatures.items():
        inputs, outputs = (_specs(signature[side]) for side in ("inputs", "outputs"))
        yield from _wrap("signature", f"{name}: {inputs} -> {outputs}")


def _specs(specs):
    words = []
    for name, spec in specs.items():
        sizes = ", ".join("?" if size is None else str(size) for size in spec["shape"])
        words.append(f"{name} {spec['dtype']} ({sizes})")
    return "; ".join(words) or "nothing"


def _tables(result):
    sizes = result["constants"]["bytes_by_op"]
    rows = {
        "bytes": f"{result['bytes']:,}",
        "quantization": result["quantization"]["state"],
        "subgraphs": f"{len(result['subgraphs'])}",
        "tensors": _counts(result["tensor_types"]),
        "runtime": f"ai-edge-litert {result['runtime']['version']}"
        + (", loads" if result["runtime"]["loads"] else ", does not load"),
        "needs runtime": result["min_runtime_version"],
        "description": result["description"],
        "packed files": _packed(result),
    }
    for name, value in rows.items():
        if value:
            yield from _wrap(name, value)
    yield ""
    width = max([len(name) for name in (*result["ops"], *sizes)] + [2])
    yield f"{'op':{width}}  {'count':>6}  {'bytes':>13}"
    names = sorted({*result["ops"], *sizes}, key=lambda n: (-sizes.get(n, 0), n))
    for name in names:
        count = result["ops"].get(name, 0)
        yield f"{name:{width}}  {count:>6}  {sizes.get(name, 0):>13,}"


def _cut(result):
    if result["target"] != "gpu":
        return
    yield ""
    for name, entry in result["gpu"]["entries"].items():
        counts = f"{entry['gpu_ops']} of {entry['ops']} ops on the GPU"
        yield from _wrap("cut", f"{name}: {counts}")
        for piece in entry["pieces"][:_MOST_PIECES]:
            yield from _wrap(f"  {piece['device']}", _counts(piece["ops"]))
        if len(entry["pieces"]) > _MOST_PIECES:
            yield from _wrap("", f"and {len(entry['pieces']) - _MOST_PIECES} more")


def _measured(result):
    run = result.get("run", {})
    if "latency_ms" not in run:
        return
    yield ""
    yield f"{'latency':<{_LABEL}}{'1 thread':>12}{run['threads']:>4} threads"
    for name, times in run["latency_ms"].items():
        one, every = times["one_thread"], times["all_threads"]
        yield f"  {name:<{_LABEL - 2}}{one:>9.3f} ms{every:>9.3f} ms"
    yield from _wrap("peak memory", f"{run['peak_memory_mib']:.1f} MiB, one thread")
    yield from _wrap("inputs", run["inputs"])


def _packed(result):
    entries = result["packed_files"]
    return ", ".join(f"{entry['name']} ({entry['bytes']:,} bytes)" for entry in entries)


def _counts(counts):
    return ", ".join(f"{name} x{count}" for name, count in counts.items())


def _wrap(label, value):
    indent = " " * _LABEL
    start = f"{label:<{_LABEL}}"
    return textwrap.wrap(
        value[:_LONGEST], _WIDTH, initial_indent=start, subsequent_indent=indent
    )
