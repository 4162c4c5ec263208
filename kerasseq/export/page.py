"""The page about an export, `report.html`: one file that needs no other."""

import base64
import csv
import html
import io
import math
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kerasseq.utils import atomic, optional

STYLE = """
:root { color-scheme: light dark; --text: #1c2128; --quiet: #59636e; --line: #d1d9e0;
  --page: #fff; --tile: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e6ea; --quiet: #9aa4af;
  --line: #3a424b; --page: #14171b; --tile: #1f242a; } }
body { font: 1rem/1.5 system-ui, sans-serif; color: var(--text);
  background: var(--page); max-width: 64rem; margin: 0 auto; padding: 1rem;
  overflow-wrap: anywhere; }
h1, p, dl, dd, ul { margin: 0; } h2 { margin: 2.2rem 0 .6rem; font-size: 1.2rem; }
h3 { margin: 1.2rem 0 .4rem; font-size: 1rem; }
p, dt, th, figcaption { color: var(--quiet); }
dt, table, .ops, figcaption { font-size: .875rem; }
.tiles, .facts, .panels { display: grid; gap: .7rem;
  grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
.tiles div { background: var(--tile); border-radius: .5rem; padding: .6rem .9rem; }
.facts dd { font-size: .9375rem; }
.tiles dd { font-size: 1.5rem; font-weight: 600; }
.tiles + .facts { margin-top: .9rem; grid-template-columns: 1fr; }
.panels { grid-template-columns: repeat(auto-fill, minmax(14.5rem, 1fr)); }
.panels img { width: 100%; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: normal; }
th { font-weight: 500; vertical-align: bottom; }
.samples td { min-width: 6rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.artifacts td { white-space: nowrap; }
.artifacts td:nth-child(n+4):nth-child(-n+8) { white-space: normal; }
figure { display: inline-block; margin: 0 1rem 1rem 0; }
figure img { background: #fff; border-radius: .4rem; max-width: 100%;
  max-height: 32rem; }
.ops { columns: 11rem; padding: 0; list-style: none; }
.ops b { display: inline-block; min-width: 3em; text-align: end; margin-right: .6em; }
"""
MAX_LAYERS = 12
COLUMNS = {
    "file": lambda item: item["file"],
    "size": lambda item: _size(item["bytes"]),
    "precision": lambda item: item["precision"],
    "signatures": lambda item: item["signatures"],
    "ops": lambda item: sum(item["ops"].values()) or None,
    "flex ops": lambda item: item["flex_ops"] or (item["ops"] and "none"),
    "custom ops": lambda item: item["custom_ops"] or (item["ops"] and "none"),
    "refused by GPU delegate": lambda item: (
        item["gpu_refused_ops"] or (item["ops"] and "none")
    ),
    "dynamic shapes": lambda item: item["dynamic_shapes"],
    "max abs diff": lambda item: item["max_abs_diff"],
    "relative error": lambda item: item.get("relative_error"),
    "latency, ms": lambda item: item["latency_ms"],
    "peak memory, MiB": lambda item: item["peak_memory_mib"],
}


def write_page(
    path: str | os.PathLike,
    report: Mapping[str, Any],
    history: str | os.PathLike | None = None,
    samples: Sequence[Mapping[str, Any]] = (),
    pictures: Iterable[str | os.PathLike] = (),
) -> None:
    """Writes the page, whole or not at all.

    Args:
        path: Path of the page.
        report: What `report.json` holds, a dict.
        history: Path of `history.csv`, one row for each epoch, or `None`.
        samples: Dicts with the same keys, the columns of the table of samples.
        pictures: Paths of PNG files.
    """
    title, data = html.escape(report["task"] or "report"), _text(report["data"])
    bodies = _bodies(report, history, samples, pictures)
    parts = [f"<h2>{name}</h2>\n{body}" for name, body in bodies.items() if body]
    with atomic.replace_file(path) as file:
        file.write(
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{title}</h1>\n<p>{data}</p>\n{''.join(parts)}</body>\n</html>\n"
        )


def _bodies(report, history, samples, pictures):
    metrics, files = report["metrics"], report["artifacts"]
    numbers = {k: v for k, v in metrics.items() if isinstance(v, (int, float))}
    others = {k: v for k, v in metrics.items() if k not in numbers}
    rows = [{name: get(file) for name, get in COLUMNS.items()} for file in files]
    measured = _by_file({x["file"]: _facts(x["metrics"], "facts") for x in files})
    return {
        "Metrics": _facts(numbers, "tiles") + _facts(others, "facts"),
        "Samples": _table(samples, "samples"),
        "Warnings": "".join(f"<p>{_text(x)}</p>\n" for x in report.get("warnings", ())),
        "Artifacts": _table(rows, "artifacts") + measured,
        "Difference by output": _by_file({x["file"]: _differences(x) for x in files}),
        "Error of int8 by layer": _by_file({x["file"]: _errors(x) for x in files}),
        "Curves": history and _curves(history),
        "Pictures": "".join(_picture(pathlib.Path(name)) for name in pictures),
        "Training": _facts(report["training"], "facts"),
        "Ops by count": _by_file({x["file"]: _ops(x["ops"]) for x in files}),
    }


def _text(value):
    """A value of the report as escaped text; a list of other than names as a count."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, dict):  # an empty one: nothing was counted or measured
        return ", ".join(f"{_label(k)} {_text(v)}" for k, v in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        names = value and all(isinstance(item, str) for item in value)
        return html.escape(", ".join(value)) if names else str(len(value))
    return html.escape(str(value))


def _label(name):
    return html.escape(str(name).replace("_", " "))


def _size(num_bytes):
    power = min(max(num_bytes.bit_length() - 1, 0) // 10, 3)
    unit = ("bytes", "KiB", "MiB", "GiB")[power]
    return f"{num_bytes / 1024**power:.{1 if power else 0}f} {unit}"


def _facts(values, style):
    pairs = ((_label(name), _text(value)) for name, value in values.items())
    items = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>\n" for k, v in pairs)
    return items and f'<dl class="{style}">\n{items}</dl>\n'


def _table(rows, style):
    if not rows:
        return ""
    lines = ["".join(f"<th>{_label(name)}</th>" for name in rows[0])]
    for row in rows:
        lines.append("".join(f'<td dir="auto">{_text(row[x])}</td>' for x in rows[0]))
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return f'<div class="scroll"><table class="{style}">\n{body}</table></div>\n'


def _differences(item):
    """What the comparison found for each output."""
    rows = [
        {"signature": name, "output": output, **found}
        for name, figure in item.get("parity", {}).items()
        for output, found in figure["outputs"].items()
    ]
    return _table(rows, "samples")


def _errors(item):
    """The layers of an int8 file that lose most, worst first."""
    worst = {}
    for row in item.get("error_by_layer", []):
        layer, error = row["layer"] or row["op"], row["relative_error"]
        worst[layer] = max(error, worst.get(layer, 0.0))
    order = sorted(worst, key=worst.get, reverse=True)[:MAX_LAYERS]
    rows = [{"layer": x, "relative error": f"{worst[x]:.2%}"} for x in order]
    return _table(rows, "samples")


def _by_file(bodies):
    return "".join(f"<h3>{_text(k)}</h3>\n{v}" for k, v in bodies.items() if v)


def _ops(ops):
    counts = sorted(ops.items(), key=lambda item: (-item[1], item[0]))
    items = "".join(f"<li><b>{_text(n)}</b>{_text(op)}</li>\n" for op, n in counts)
    return items and f'<ul class="ops">\n{items}</ul>\n'


def _picture(path):
    name, data = html.escape(path.stem), _encoded("image/png", path.read_bytes())
    image = f'<img src="{data}" alt="{name}">'
    return f"<figure>{image}<figcaption>{name}</figcaption></figure>\n"


def _encoded(kind, data):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _curves(history):
    """A panel for each quantity, the learning rate last; no speeds."""
    with open(history, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [_number(row[name]) for row in rows] for name in rows and rows[0]}
    epochs = columns.pop("epoch", range(1, len(rows) + 1))
    names = dict.fromkeys(name.removeprefix("val_") for name in columns)
    names = [x for x in names if x != "seconds" and not x.endswith("_per_second")]
    names.sort(key=lambda name: name == "learning_rate")
    panels = "".join(_panel(name, epochs, columns) for name in names)
    return panels and f'<div class="panels">\n{panels}</div>\n'


def _number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan  # not measured in this epoch


def _panel(name, epochs, columns):
    matplotlib = optional.import_module("matplotlib")
    figure = optional.import_module("matplotlib.figure")

    gray = "#808890"  # read on white and on black
    picture = figure.Figure(figsize=(3.2, 2.3), layout="constrained")
    axes = picture.subplots()
    for label, key in (("training", name), ("validation", f"val_{name}")):
        if key in columns:
            axes.plot(epochs, columns[key], marker="o", markersize=3, label=label)
    if f"val_{name}" in columns:
        axes.legend(frameon=False, fontsize="small", labelcolor=gray)
    axes.set_title(name.replace("_", " "), color=gray, parse_math=False)
    axes.set_xlabel("epoch", color=gray)
    axes.set_facecolor("none")
    axes.tick_params(color=gray, labelcolor=gray, labelsize="small")
    axes.spines[:].set_color(gray)
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.yaxis.set_major_formatter("{x:.4g}")
    data = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "kerasseq"}):
        picture.savefig(data, format="svg", transparent=True, metadata={"Date": None})
    source = _encoded("image/svg+xml", data.getvalue())
    return f'<img src="{source}" alt="{_label(name)} by epoch">\n'
