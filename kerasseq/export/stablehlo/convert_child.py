"""The child process of conversions from StableHLO.

LiteRT's converter can crash the process it runs in, hence the child.
"""

import json
import os
import pathlib
import re
import sys
from collections.abc import Sequence
from typing import Any

from litert_converter import converter_api_ext as converter_api
from litert_converter.mlir import ir, passmanager
from litert_converter.mlir.dialects import stablehlo

from kerasseq.export import postprocess
from kerasseq.export.stablehlo import TABLE, clean_tfl, half_weights, loops
from kerasseq.lite import sample_files

_DIALECTS = ("tfl", "func", "builtin", "arith")
# loc("jit(<lambda>)/sequential/my_layer/fft"(callsite(...
_NODE = re.compile(r'"jit\(.*?\)/([^"]+)"')


class UnsupportedOpsError(Exception):
    """Says which ops have no builtin.

    Args:
        ops: List of pairs of an op and the node that it comes from, or `None`.
    """

    def __init__(self, ops: list[tuple[str, str | None]]) -> None:
        super().__init__(f"ops that are no builtins: {ops}")
        self.ops = ops


def convert(folder: str | os.PathLike, signatures: Sequence[str]) -> bytes:
    """Converts StableHLO artifacts with builtin ops only.

    Args:
        folder: Path of a folder that `stablehlo.tracing.write` wrote.
        signatures: Names of the signatures to keep.

    Returns:
        The bytes of the TFLite file, as the converter writes it.
    """
    folder = pathlib.Path(folder)
    table = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    with ir.Context() as context:
        converter_api.prepare_mlir_context(context)
        modules = [
            _converted(context, folder / f"{name}.stablehlo", name, *table[name])
            for name in signatures
        ]
        module = modules[0]
        if len(modules) > 1:
            module = converter_api.merge_modules(modules)
        failing = _failing(module)
        if failing:
            raise UnsupportedOpsError(failing)
        return converter_api.export_flatbuffer_to_bytes(module.operation)


def quantized(content: bytes, job: dict[str, Any]) -> bytes:
    """Quantizes a file; the errors of an int8 file are beside it.

    Args:
        content: The bytes of a float file, from `convert`.
        job: A `converter.Job` as a dict.

    Returns:
        The bytes of the file of the job's precision.
    """
    if job["precision"] == "float32":
        return content
    if job["precision"] == "float16":
        return half_weights.apply(content)
    from kerasseq.export.stablehlo import layer_errors, quantizer

    if job["precision"] == "dynamic":
        return quantizer.dynamic(content)
    if job["precision"] == "int4":
        return quantizer.int4(content, job["block_size"])
    data = sample_files.read(job["data"])
    int8 = quantizer.int8(
        content, data, job["float_ops"], job["float_layers"], job["layers"]
    )
    layer_errors.write(job, content, int8, data)
    return int8


def _converted(context, path, name, inputs, outputs):
    module = stablehlo.deserialize_portable_artifact(context, path.read_bytes())
    (main,) = [
        x for x in module.body.operations if x.attributes["sym_name"].value == "main"
    ]
    converter_api.set_signature(main.operation, name, inputs, outputs)
    converter_api.run_convert_to_tfl_passes(
        module, passmanager.PassManager(), converter_api.ConvertToTFLConfig()
    )
    clean_tfl.clean(module)
    # Constants and steps that the rewrites made twice.
    passmanager.PassManager.parse("builtin.module(cse)").run(module.operation)
    loops.outline(module)
    return module


def _failing(module):
    """The ops that are none of TFLite, and where in the model they come from."""
    found = []
    for operation in loops.walk(module.operation):
        dialect, _, op = operation.name.partition(".")
        if dialect not in _DIALECTS:
            match = _NODE.search(str(operation.location))
            found.append((op, match and match.group(1)))
    return found


def main(jobs_path: str) -> None:
    """Does the conversions one after the other; each writes its file or its error.

    Args:
        jobs_path: Path of a JSON file with a list of `converter.Job`.
    """
    for job in json.loads(pathlib.Path(jobs_path).read_text(encoding="utf-8")):
        output = pathlib.Path(job["output"])
        try:
            content = quantized(convert(job["source"], job["signatures"]), job)
        except (ir.MLIRError, UnsupportedOpsError) as error:
            described = {"message": str(error), "failing": getattr(error, "ops", [])}
            output.with_suffix(".error").write_text(json.dumps(described))
        except ValueError as error:
            output.with_suffix(".error").write_text(json.dumps({"refused": str(error)}))
        else:
            output.write_bytes(postprocess.apply(content))


if __name__ == "__main__":
    main(*sys.argv[1:])
