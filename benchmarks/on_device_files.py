"""Writes the files that `benchmarks.on_device` compares."""

import json
import os
import pathlib
import subprocess

import numpy as np

from benchmarks import on_device_models, stock_converter
from kerasseq import doctor, export

LOOP_STRATEGIES = ("fused", "while", "unrolled")
SECONDS = 900  # for a conversion of a peer
VERSIONS = """
import json
from benchmarks import machine
print(json.dumps(machine.description()["packages"]))
"""


def ours(case, folder):
    """Exports with kerasseq.

    Returns:
        `(files, chosen)`: paths by name, `kerasseq` (the loop strategy `auto`),
        `dynamic` and, for recurrent layers, the strategies; and what `auto` took.
    """
    report = _export(case, folder / "auto", "auto", ["dynamic"])
    files = {"kerasseq": folder / "auto" / "model.tflite"}
    if (folder / "auto" / "model_dynamic.tflite").exists():  # not if weights are few
        files["dynamic"] = folder / "auto" / "model_dynamic.tflite"
    if not case.recurrent:
        return files, None
    for strategy in LOOP_STRATEGIES:
        _export(case, folder / strategy, strategy)
        files[strategy] = folder / strategy / "model.tflite"
    return files, report["artifacts"][0]["lowering"]


def _export(case, folder, loop_strategy, quantize=()):
    return export.export_model(
        case.model,
        folder,
        signatures=case.signatures,
        samples={name: [inputs] for name, inputs in case.inputs.items()},
        loop_strategy=loop_strategy,
        quantize=quantize,
        main_signature=list(case.inputs)[-1],  # the whole job
    )


def stock(case, folder):
    """Converts the stock layers to builtin ops, with static signatures."""
    unroll = {"stock": False} | ({"stock_unroll": True} if case.recurrent else {})
    return {
        name: stock_converter.convert(*case.stock(value), folder / name)
        for name, value in unroll.items()
    }


def peer(case, name, python, folder):
    """Writes the files of a peer, in its environment.

    Args:
        case: An `on_device_models.Case`.
        name: `"litert_torch"`, `"onnx"` or `"onnx_dynamo"`.
        python: Path of the environment's Python.
        folder: Where to.

    Returns:
        The path of a file, or of a folder with one for each signature.

    Raises:
        RuntimeError: If it cannot; holds the last line of what it said.
    """
    description = json.dumps(case.torch)
    (folder / "model.json").write_text(description, encoding="utf-8")
    np.savez(folder / "weights.npz", **on_device_models.weights(case.model))
    arrays = {
        f"{signature}/{key}": array
        for signature, inputs in case.inputs.items()
        for key, array in inputs.items()
    }
    np.savez(folder / "inputs.npz", **arrays)
    _run(python, "-m", "benchmarks.on_device_torch", name, str(folder))
    return folder / ("litert_torch.tflite" if name == "litert_torch" else name)


def versions(python):
    """Versions of the packages of an environment, by name."""
    return json.loads(_run(python, "-c", VERSIONS))


def _run(python, *arguments):
    """The standard output of a Python that has our modules."""
    result = subprocess.run(
        [python, *arguments],
        cwd=pathlib.Path(__file__).parents[1],
        env=os.environ | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{' '.join([python, *arguments[:3]])} failed: {last}")
    return result.stdout


def sizes(files):
    """Bytes of each file, and of constants of 1 KB and more that it holds twice."""
    found = {}
    for name, path in files.items():
        if path.is_dir():
            found[name] = {"bytes": sum(x.stat().st_size for x in path.iterdir())}
            continue
        constants = doctor.examine(path)["constants"]
        found[name] = {
            "bytes": path.stat().st_size,
            "duplicated_bytes": constants["duplicated_bytes"],
        }
    return found
