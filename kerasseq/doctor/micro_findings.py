"""Findings for microcontrollers."""

import collections

from kerasseq.doctor._finding import finding, some
from kerasseq.lite import micro_rules

_INT8 = "`export_model(..., quantize=[Int8(data)])`"
_MUCH = 512 * 1024  # bytes of memory; most boards have less
_FLASH = 2 * 1024 * 1024


def _refused(content):
    groups = collections.defaultdict(dict)
    for name, reasons in content["microcontroller"]["refused"].items():
        for reason, count in reasons.items():
            groups[reason][name] = count
    for reason, counts in groups.items():
        yield finding(
            "error",
            f"TensorFlow Lite Micro does not run ops: {reason}.",
            some(counts),
            f"Quantize activations too: {_INT8}."
            if reason == micro_rules.HYBRID
            else "Write the layer with ops of `kerasseq.lite.micro_rules.OPS`, in int8 "
            "or float32.",
        )


def _shapes(content):
    names = [f"{x['name']} {tuple(x['shape'])}" for x in content["dynamic_inputs"]]
    if names:
        yield finding(
            "warning",
            "Input sizes are not fixed: the memory plan takes each for 1.",
            some(names),
            "Export with a static batch and length.",
        )
    elif content["dynamic_tensors"]:
        yield finding(
            "error",
            "Inner sizes depend on values, and the memory plan is made before.",
            some(content["dynamic_tensors"]),
            "Export with static shapes: sizes are constants then.",
        )


def _signatures(content):
    others = [name for name, x in content["signatures"].items() if x["subgraph"]]
    if others:
        yield finding(
            "warning",
            "Signatures of other subgraphs than the first: the interpreter runs that "
            "one alone.",
            some(others),
            "Export each signature to a file of its own.",
        )


def _memory(content):
    arena = content["microcontroller"]["arena"]
    if arena is None:
        return
    large = arena["arena"] > _MUCH or content["bytes"] > _FLASH
    where = f" at {arena['worst_op']}" if arena["worst_op"] else ""
    yield finding(
        "warning" if large else "note",
        f"It needs about {_kib(arena['arena'])} of RAM for its tensors and "
        f"{_kib(content['bytes'])} of flash for the file.",
        f"{_kib(arena['peak'])} are alive at once{where}; scratch buffers of kernels "
        "come on top",
        "Smaller images, fewer channels, or int8, which takes a quarter of float32."
        if large
        else "Begin with a `tensor_arena` of a third more, and ask the interpreter for "
        "`arena_used_bytes()`.",
    )


def _floats(content):
    state = content["quantization"]["state"]
    if state == "float32" and content["quantization"]["float_ops"]:
        yield finding(
            "warning",
            "The file computes in float32: four times the memory of int8, and slow on "
            "a core without a floating point unit.",
            some(content["quantization"]["float_ops"]),
            f"Convert with {_INT8}, on some hundred real inputs.",
        )


def _kib(num_bytes):
    return f"{num_bytes / 1024:,.1f} KiB"


RULES = (_refused, _shapes, _signatures, _floats, _memory)
