"""The quantization error of each layer of an int8 file, measured in a child process.

`python -m kerasseq.export.saved_model.layer_errors job.json` is the child: the
instrumented interpreter may crash on a model that it does not support.
"""

import json
import pathlib
import sys
from typing import Any

import numpy as np

from kerasseq.export import converter, front_ends, layer_nodes
from kerasseq.export.saved_model import convert_child, input_names, int8_ranges
from kerasseq.lite import flatbuffer, sample_files
from kerasseq.utils import child_process

_MAX_SAMPLES = 20


def measure(
    job: converter.Job, time_limit: float | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Measures the error that int8 causes in each layer.

    Args:
        job: The `converter.Job` that wrote the int8 file.
        time_limit: Seconds that the child may take; `None` for any.

    Returns:
        `(rows, reason)`: a list of `{"layer", "op", "relative_error"}` in the order of
        the graph, the root mean square of an op's error over that of its output,
        at most 1; or an empty list and the reason why.
    """
    path = pathlib.Path(job.output).with_suffix(".job")
    path.write_text(json.dumps(vars(job), default=str))
    result = child_process.run(
        "kerasseq.export.saved_model.layer_errors",
        [path],
        time_limit,
        front_ends.choose("tensorflow").preload,
    )
    try:
        child_process.check(result, "The measurement of each layer")
        return json.loads(result.stdout.strip().splitlines()[-1]), None
    except (RuntimeError, ValueError, IndexError) as error:
        return [], str(error).strip().splitlines()[-1]


def main(path: str) -> None:
    """The child: measures and prints one line of JSON."""
    import tensorflow as tf

    job = json.loads(pathlib.Path(path).read_text())
    data = sample_files.read(job["data"])
    lite_converter = convert_child.make_converter(
        job["source"], job["signatures"], "int8", data
    )
    signature = job["signatures"][0]  # the debugger runs the first alone
    names = input_names.read(job["source"])
    samples = input_names.renamed(data, names)[signature][:_MAX_SAMPLES]
    calibrated = convert_child.make_debugger(
        lite_converter, job["float_ops"], job["float_layers"], job["layers"]
    )
    order = _input_order(calibrated.calibrated_model, signature)
    quantized = flatbuffer.tree(calibrated.quant_model)
    int8_ranges.mend(quantized)  # as in the file that is shipped
    lite = tf.lite.experimental
    debugger = lite.QuantizationDebugger(
        quant_debug_model_content=flatbuffer.write(quantized),
        debug_dataset=lambda: ([inputs[name] for name in order] for inputs in samples),
        debug_options=lite.QuantizationDebugOptions(
            # The float tensors of a direct comparison may be overwritten by then.
            layer_debug_metrics={"error": lambda diffs: np.mean(np.square(diffs))},
            layer_direct_compare_metrics={"size": _size},
        ),
    )
    debugger.run()
    found = layer_nodes.layers_of_nodes(calibrated.calibrated_model, job["layers"])
    rows = [
        {"layer": found.get(node), "op": node, "relative_error": error}
        for node, error in _by_node(debugger.layer_statistics, found)
    ]
    print(json.dumps(rows))


def _input_order(content, signature):
    """The names of a signature's inputs, in the order of its graph."""
    model = flatbuffer.tree(content)
    (found,) = (s for s in model.signatureDefs if s.signatureKey.decode() == signature)
    names = {item.tensorIndex: item.name.decode() for item in found.inputs}
    return [names[index] for index in model.subgraphs[found.subgraphIndex].inputs]


def _by_node(statistics, nodes):
    """Pairs of a node, `NumericVerify/node:7` to the debugger, and its error."""
    for name, figures in statistics.items():
        name = name.removeprefix("NumericVerify/").rpartition(":")[0]
        matches = [node for node in nodes if name.startswith(node)]
        node = max(matches, key=len, default=name)
        error = figures["error"]
        yield node, float(np.sqrt(error / max(figures["size"], error, 1e-24)))


def _size(_, received, scale, zero_point):
    values = scale * (received.astype("float64") - zero_point)
    return np.mean(np.square(values))


if __name__ == "__main__":
    main(*sys.argv[1:])
