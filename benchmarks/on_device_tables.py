"""Tables of what `benchmarks.on_device` measured, in docs/performance.md.

python -m benchmarks.on_device_tables    # writes them there, from the results
"""

import json
import pathlib
import sys

from benchmarks import training_baselines
from kerasseq.utils import atomic

RESULTS = "benchmarks/results/on_device.json"
PAGE = "docs/performance.md"
# What lies between these lines of the page is written by `main`.
BEGIN, END = "<!-- on_device: begin -->", "<!-- on_device: end -->"
LOOPS = ("fused", "while", "unrolled")
OURS = ("kerasseq", "dynamic", *LOOPS)
COLUMNS = {  # title: names, of which the fastest counts
    "dynamic": ("dynamic",),
    "stock Keras": ("stock", "stock_unroll"),
    "litert-torch": ("litert_torch",),
    "ONNX Runtime": ("onnx", "onnx_dynamo"),
}
NO_XNNPACK = ", no XNNPACK"


def ratios(results):
    """How the file that `auto` made compares, of files in float and with XNNPACK.

    Args:
        results: `{name: {"median_ms": ...}}`.

    Returns:
        A dict: `best`, the name of the fastest, `auto_to_best`, and
        `auto_to_best_loop`, to the fastest loop strategy.
    """
    times = {
        name: result["median_ms"]
        for name, result in results.items()
        if name != "dynamic" and not name.endswith(NO_XNNPACK)
    }
    loops = [times[name] for name in ("kerasseq", *LOOPS) if name in times]
    best = min(times, key=times.get)
    return {
        "best": best,
        "auto_to_best": times["kerasseq"] / times[best],
        "auto_to_best_loop": times["kerasseq"] / min(loops),
    }


def line(row):
    """A row on one line, as soon as it is measured."""
    parts = []
    for threads, results in row["results"].items():
        times = [f"{name} {x['median_ms']:.3f}" for name, x in results.items()]
        parts.append(f"{row['name']}, threads: {threads}: {', '.join(times)} ms")
    measured = [x for results in row["results"].values() for x in results.items()]
    worst = max(x["max_abs_diff"] for n, x in measured if not n.startswith("dynamic"))
    parts.append(f"  largest difference from Keras: {worst:.1g}")
    busy = max(x["busy_cores"] for _, x in measured)
    if busy > training_baselines.BUSY:
        parts.append(f"  disturbed: other processes kept up to {busy:.1f} cores busy")
    return "\n".join(parts)


def tables(report):
    """All tables, as Markdown."""
    rows = report["rows"]
    parts = []
    for threads in report["settings"]["threads"]:
        parts.append(f"Threads: {threads}, with XNNPACK\n\n{_latency(rows, threads)}")
    first = report["settings"]["threads"][0]
    parts.append(f"Without XNNPACK, threads: {first}\n\n{_without(rows, first)}")
    parts.append(f"Loop strategies, threads: {first}, ms\n\n{_loops(rows, first)}")
    parts.append(f"Sizes\n\n{_sizes(rows)}")
    return "\n\n".join(parts)


def _latency(rows, threads):
    lines = []
    for row in rows:
        results = row["results"][threads]
        ours = results["kerasseq"]["median_ms"]
        cells = [_ratio(_fastest(results, names), ours) for names in COLUMNS.values()]
        found = row["ratios"][threads]
        to_best = f"{found['auto_to_best']:.2f} ({found['best']})"
        lines.append([row["name"], f"{ours:.3f}", *cells, to_best])
    return _table(["file", "kerasseq, ms", *COLUMNS, "auto / best of all"], lines)


def _without(rows, threads):
    names = ("kerasseq", "dynamic", "stock", "litert_torch")
    lines = []
    for row in rows:
        results = row["results"][threads]
        lines.append([row["name"]])
        for name in names:
            slow = _fastest(results, [name + NO_XNNPACK])
            cell = "" if slow is None else f"{slow:.3f} "
            cell += f"({_ratio(slow, _fastest(results, [name]))})" if cell else ""
            lines[-1].append(cell)
    return _table(["file", *(f"{name}, ms" for name in names)], lines)


def _loops(rows, threads):
    lines = []
    for row in rows:
        results = row["results"][threads]
        if LOOPS[0] in results:
            times = [results[name]["median_ms"] for name in ("kerasseq", *LOOPS)]
            ratio = row["ratios"][threads]["auto_to_best_loop"]
            cells = [f"{time:.3f}" for time in times]
            lines.append([row["name"], *cells, row["auto_took"], f"{ratio:.2f}"])
    return _table(["file", "auto", *LOOPS, "auto took", "auto / best"], lines)


def _sizes(rows):
    """Bytes of files by those of the weights, a line for each model."""
    lines = {}
    for row in rows:
        model, files = row["name"].split(",")[0], row["files"]
        weights, cells = row["parameter_bytes"], []
        for names in (("kerasseq",), *COLUMNS.values()):
            sizes = [files[name]["bytes"] for name in names if name in files]
            cells.append(f"{min(sizes) / weights:.2f}" if sizes else "")
        twice = max(
            files[name].get("duplicated_bytes", 0) for name in OURS & files.keys()
        )
        lines[model] = [model, f"{weights / 1e3:.0f}", *cells, str(twice)]
    header = ["model", "weights, kB", "kerasseq", *COLUMNS, "stored twice, bytes"]
    return _table(header, lines.values())


def _fastest(results, names):
    times = [results[name]["median_ms"] for name in names if name in results]
    return min(times, default=None)


def _ratio(time, ours):
    return "" if time is None else f"{time / ours:.2f} x"


def _table(header, lines):
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def main(results=RESULTS, page=PAGE):
    """Writes the tables into the page."""
    report = json.loads(pathlib.Path(results).read_text(encoding="utf-8"))
    text = pathlib.Path(page).read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    text = f"{before}{BEGIN}\n\n{tables(report)}\n\n{END}{after}"
    with atomic.replace_file(page) as file:
        file.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
