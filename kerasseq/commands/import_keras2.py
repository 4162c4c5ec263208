"""Converts a model file of Keras 2, or a `.h5` file, to a `.keras` file of Keras 3."""

import argparse
import os

from kerasseq.commands import custom_objects
from kerasseq.utils import atomic


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `kerasseq import` to a parser."""
    parser.add_argument(
        "old",
        metavar="OLD",
        help="a .h5 or .keras file of Keras 2, or a .h5 file of Keras 3",
    )
    parser.add_argument(
        "--out", required=True, metavar="NEW.keras", help="the file to write"
    )
    parser.add_argument(
        "--example",
        metavar="FILE.npz",
        help="inputs input_0 .. and outputs output_0 .. of the old model to compare",
    )
    parser.add_argument(
        "--tolerance", type=float, help="largest difference of the outputs"
    )
    custom_objects.add_argument(parser)
    parser.add_argument(
        "--layer",
        action="append",
        default=[],
        metavar="NAME=MODULE:CLASS",
        help="a class of yours for the layer of this name alone, such as a Lambda; a "
        "layer of a nested model is MODEL/LAYER; repeatable",
    )
    parser.add_argument("--report", metavar="FILE.json", help="write the report there")


def run(arguments: argparse.Namespace) -> int:
    """Runs `kerasseq import`.

    Args:
        arguments: What the parser of `add_arguments` returned.

    Returns:
        The exit code 0.

    Raises:
        ValueError: If the model cannot be imported; nothing is written then.
    """
    from kerasseq import convert

    _, report = convert.import_keras2(
        arguments.old,
        arguments.out,
        custom_objects=custom_objects.load(arguments.custom),
        layer_classes=_layer_classes(arguments.layer),
        examples=arguments.example,
        tolerance=arguments.tolerance,
    )
    if arguments.report:
        atomic.write_json(arguments.report, report)
    print(_table(report["layers"]))
    print(
        f"\n{report['num_weights']} weights, {report['num_parameters']:,} parameters, "
        "copied bit by bit."
    )
    compared = report["comparison"]
    if compared["compared_with"]:
        print(
            f"Compared with {compared['compared_with']}: largest difference "
            f"{compared['max_abs_diff']:.3g}, allowed {compared['tolerance']:g}."
        )
    for note in report["notes"]:
        print(note)
    print(f"Written: {os.fspath(arguments.out)}")
    return 0


def _layer_classes(entries):
    classes = {}
    for entry in entries:
        name, _, place = entry.rpartition("=")
        if not name or ":" not in place:
            raise ValueError(
                "Name a layer and its class as `--layer NAME=MODULE:CLASS`. Received: "
                f"--layer {entry}"
            )
        classes[name] = custom_objects.find(place)
        if not isinstance(classes[name], type):
            raise ValueError(f"--layer needs a class. Received: --layer {entry}")
    return classes


def _table(rows):
    lines = [("layer", "Keras 2", "Keras 3", "weights", "changed")]
    for row in rows:
        classes = row["old_class"], row["new_class"]
        changes = ", ".join(row["changes"])
        lines.append((row["name"], *classes, str(row["weights"]), changes))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join([*map(str.ljust, line, widths), line[4]]).rstrip() for line in lines
    )
