"""The quantization error of each layer of an int8 file, by LiteRT's own quantizer.

The child process that quantizes also measures, since it has the names of all tensors.
"""

import json
import pathlib
from typing import Any

import numpy as np
from ai_edge_quantizer import model_validator

from kerasseq.export import converter, layer_nodes
from kerasseq.export import samples as samples_lib

_MAX_SAMPLES = 5  # the validator makes two interpreters for each


def measure(
    job: converter.Job, time_limit: float | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Reads the error of each layer that the conversion measured.

    Args:
        job: The `converter.Job` that wrote the int8 file.
        time_limit: Not used: the conversion has ended.

    Returns:
        `(rows, reason)`: a list of `{"layer", "op", "relative_error"}` in the order of
        the graph, the root mean square of the difference of an op's output from that
        of the float file over that output's; it grows from layer to layer. `reason` is
        always `None`.
    """
    return json.loads(_path(job.output).read_text(encoding="utf-8")), None


def write(
    job: dict[str, Any], full: bytes, int8: bytes, data: samples_lib.Samples
) -> None:
    """Measures, for `measure` to read.

    Args:
        job: A `converter.Job` as a dict.
        full: The bytes of the float file, with the names of its tensors.
        int8: Those of the int8 file.
        data: `{signature name: [{input name: array}]}`.
    """
    rows = _rows(full, int8, job["signatures"][0], data, job["layers"])
    _path(job["output"]).write_text(json.dumps(rows), encoding="utf-8")


def _path(output):
    return pathlib.Path(output).with_suffix(".errors")


def _rows(full, int8, signature, data, layers):
    found = model_validator.compare_model(
        full,
        int8,
        {signature: data[signature][:_MAX_SAMPLES]},
        compare_fns=[_relative_error],
        num_threads=1,
    ).get_all_tensor_results()
    return [
        {"layer": layer, "op": node, "relative_error": next(iter(found[node].values()))}
        for node, layer in layer_nodes.layers_of_nodes(full, layers).items()
        if node in found
    ]


def _relative_error(int8, full):
    int8, full = (np.asarray(x, "float64") for x in (int8, full))
    error, size = np.mean(np.square(int8 - full)), np.mean(np.square(full))
    return float(np.sqrt(error / max(size, error, 1e-24)))
