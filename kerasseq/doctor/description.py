"""What a TFLite file holds: `lite.audit` and what a doctor asks beyond it."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from kerasseq.doctor import (
    arena,
    constants,
    foreign_ops,
    gpu_cut,
    known_faults,
    micro,
    quantization,
)
from kerasseq.doctor import graphs as graphs_lib
from kerasseq.lite import audit, flatbuffer

MAIN = "main"  # what stands for the signature of a file that has none
_WIDE = ("INT64", "UINT64", "FLOAT64", "COMPLEX64", "COMPLEX128")
_SHAPE_OPS = ("SHAPE", "RANK", "BROADCAST_ARGS")
_MIN_RUNTIME = "min_runtime_version"


def describe(model: schema.ModelT, num_bytes: int) -> dict[str, Any]:
    """Describes a file.

    Args:
        model: `schema.ModelT`, from `flatbuffer.read`.
        num_bytes: The size of the file.

    Returns:
        A dict of plain values; `doctor.examine` documents it.
    """
    content = audit.of_model(model, num_bytes)
    graphs = graphs_lib.of_model(model)
    main = graphs[0]
    inputs, outputs = (
        [_named(t) for t in side] for side in (main.inputs, main.outputs)
    )
    signatures = {
        flatbuffer.text(signature.signatureKey): _signature(signature, graphs)
        for signature in model.signatureDefs
    }
    entries = signatures or {MAIN: {"subgraph": 0, **_by_name(inputs, outputs)}}
    entry_graphs = {name: graphs[e["subgraph"]] for name, e in entries.items()}
    return {
        "bytes": num_bytes,
        "description": flatbuffer.text(model.description),
        "schema_version": model.version,
        "min_runtime_version": _min_runtime_version(model),
        "signatures": signatures,
        "inputs": inputs,
        "outputs": outputs,
        "subgraphs": [
            {"name": graph.name, "ops": len(graph.ops), "tensors": len(graph.tensors)}
            for graph in graphs
        ],
        **_ops(content),
        "tensor_types": content["tensor_types"],
        **_odd_tensors(graphs, entries),
        "constants": constants.describe(model, graphs),
        "quantization": {
            **quantization.describe(graphs, entries),
            "int8_share": content["int8_share"],
        },
        "gpu": {
            **gpu_cut.describe(graphs, entry_graphs),
            "known_faults": known_faults.describe(entry_graphs),
        },
        "microcontroller": {
            "refused": micro.refused(graphs),
            "arena": arena.describe(graphs),
        },
    }


def _ops(content):
    ops = content["ops"]
    return {
        "ops": ops,
        "flex_ops": content["flex_ops"],
        "custom_ops": content["custom_ops"],
        "shape_ops": [name for name in _SHAPE_OPS if name in ops],
        "compiled_for": _compiled_for(ops),
        "unknown_ops": [name for name in ops if name.startswith(flatbuffer.UNKNOWN)],
    }


def _compiled_for(ops):
    return [device for name, device in foreign_ops.COMPILED.items() if name in ops]


def _odd_tensors(graphs, entries):
    return {
        "wide_tensors": _labels(graphs, _is_wide),
        "dynamic_inputs": [
            {"signature": entry, "name": name, **spec}
            for entry, ends in entries.items()
            for name, spec in ends["inputs"].items()
            if None in spec["shape"]
        ],
        "dynamic_tensors": _labels(graphs, lambda tensor: None in tensor.shape),
        "empty_tensors": _empty_labels(graphs),
    }


def _signature(signature, graphs):
    tensors = graphs[signature.subgraphIndex].tensors

    def specs(ends):
        return {flatbuffer.text(e.name): _spec(tensors[e.tensorIndex]) for e in ends}

    return {
        "subgraph": int(signature.subgraphIndex),
        "inputs": specs(signature.inputs),
        "outputs": specs(signature.outputs),
    }


def _by_name(*sides):
    """As a signature has them, for a file without."""
    return {
        side: {
            spec["name"]: {"shape": spec["shape"], "dtype": spec["dtype"]}
            for spec in specs
        }
        for side, specs in zip(("inputs", "outputs"), sides, strict=True)
    }


def _named(tensor):
    return {"name": tensor.label, **_spec(tensor)}


def _spec(tensor):
    return {"shape": list(tensor.shape), "dtype": tensor.dtype.lower()}


def _labels(graphs, condition):
    return [t.label for graph in graphs for t in graph.tensors if condition(t)]


def _is_wide(tensor):
    return tensor.dtype in _WIDE and not tensor.is_constant


def _empty_labels(graphs):
    # Of computed tensors: the converter writes the shape of a scalar as (0,).
    computed = {
        tensor
        for graph in graphs
        for tensor in (*graph.inputs, *(t for op in graph.ops for t in op.outputs))
    }
    return sorted({tensor.label for tensor in computed if 0 in tensor.shape})


def _min_runtime_version(model):
    for entry in model.metadata:
        if flatbuffer.text(entry.name) == _MIN_RUNTIME:
            data = model.buffers[entry.buffer].data
            return bytes(data).decode(errors="replace").rstrip("\0") or None
    return None
