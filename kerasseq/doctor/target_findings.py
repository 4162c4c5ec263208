"""Findings that hold for one target."""

import collections

from kerasseq.doctor import micro_findings
from kerasseq.doctor._finding import finding, some
from kerasseq.lite import gpu_rules

_ENOUGH = 0.9  # the fraction of ops that the largest piece of a good cut has
_INT8 = "`export_model(..., quantize=[Int8(data)])`"
_STATIC = "Export with static shapes: sizes are constants then."
_ADVICE = {
    "WHILE": "Export the step as its own signature (`encode` and `step`) and loop in "
    'the app, or write a short loop out: `export_model(loop_strategy="unrolled")`.',
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 'Export with `loop_strategy="unrolled"`, or a '
    "`step` signature.",
    "ARG_MAX": "Return the scores, and pick in the app.",
    "TOPK_V2": "Return the scores, and pick in the app.",
    "LOG_SOFTMAX": "Return the logits, or use log(softmax(x)).",
    "EMBEDDING_LOOKUP": "Use `keras.ops.take`, which becomes GATHER.",
    "REVERSE_V2": "Use GATHER with constant indices.",
    "REVERSE_SEQUENCE": "Use GATHER with computed indices.",
    "DYNAMIC_UPDATE_SLICE": "Use SELECT_V2 with a mask of the position.",
    "REDUCE_ALL": "Use floats: the minimum of zeros and ones.",
    "REDUCE_ANY": "Use floats: the maximum of zeros and ones.",
    "LOGICAL_NOT": "Use floats: 1 - a.",
    "LOGICAL_OR": "Use floats: maximum(a, b).",
    "SHAPE": _STATIC,
    "FILL": _STATIC,
    "RANGE": _STATIC,
    "BROADCAST_TO": _STATIC,
    "BROADCAST_ARGS": _STATIC,
}
_OTHER = "Write the layer with ops of `kerasseq.lite.gpu_rules.OPS`."
_THREADS = "https://github.com/google-ai-edge/LiteRT/issues/"
_NOT_INT8 = {
    "int16x8": "The activations are int16, not int8.",
    "integer": "The file computes in integers that have no scales, not in int8.",
}
_AXES = "Merge axes so that no tensor has more than four."
_TYPE = "Compute in float32, or do this in the app before or after the model."


def _shapes_on_cpu(content):
    if content["dynamic_inputs"]:
        computed = _shape_ops(content)
        yield finding(
            "note",
            "Input sizes are not fixed: each new size allocates memory "
            f"again{computed}.",
            _inputs(content),
            "Export with a static batch if one size will do.",
        )
    elif content["dynamic_tensors"]:
        yield finding(
            "note",
            "Inner sizes depend on values: memory is allocated in each run.",
            some(content["dynamic_tensors"]),
            _STATIC,
        )


def _shapes_on_gpu(content):
    for spec in content["dynamic_inputs"]:
        if None in spec["shape"][1:]:
            yield finding(
                "error",
                "A size beside the batch is not fixed: the delegate is built for 1.",
                f"{spec['name']} {tuple(spec['shape'])}",
                "Export with static shapes, one file or signature for each length.",
            )
        else:
            yield finding(
                "warning",
                "The batch is not fixed: the delegate is built for a batch of 1 and "
                "cannot be resized.",
                f"{spec['name']} {tuple(spec['shape'])}",
                "Export with a static batch.",
            )
    if content["dynamic_tensors"] and not content["dynamic_inputs"]:
        yield finding(
            "error",
            "Inner sizes depend on values: the delegate takes no such tensor.",
            some(content["dynamic_tensors"]),
            _STATIC,
        )


def _shapes_on_int8(content):
    if content["dynamic_inputs"]:
        yield finding(
            "warning",
            "Input sizes are not fixed: int8 accelerators are compiled for one size, "
            "and Qualcomm's compiler makes every open size 1 without a word "
            f"({_THREADS}9045).",
            _inputs(content),
            "Export with static shapes, and pad.",
        )


def _refused(content):
    cut = content["gpu"]["entries"].values()
    good = all(entry["gpu_ops"] >= _ENOUGH * entry["ops"] for entry in cut)
    groups = collections.defaultdict(dict)
    for name, reasons in content["gpu"]["refused"].items():
        for reason, count in reasons.items():
            by_type = reason.startswith(gpu_rules.BY_TYPE)
            severity = "warning" if by_type and good else "error"
            groups[severity, reason, _advice(name, reason)][name] = count
    for (severity, reason, do), counts in groups.items():
        what = f"The GPU delegate leaves ops to the CPU: {reason}."
        yield finding(severity, what, some(counts), do)


def _advice(name, reason):
    if reason.startswith(gpu_rules.BY_TYPE):
        return _TYPE
    return _AXES if "axes" in reason else _ADVICE.get(name, _OTHER)


def _cut(content):
    for name, entry in content["gpu"]["entries"].items():
        if entry["gpu_ops"] < entry["ops"]:
            what = f"None of the {entry['ops']} ops runs on the GPU."
            if entry["gpu_ops"]:
                what = (
                    f"The graph is cut into {len(entry['pieces'])} pieces: the GPU "
                    f"gets the largest, {entry['gpu_ops']} of {entry['ops']} ops."
                )
            yield finding(
                "note",
                what,
                f"signature '{name}'",
                "Mend the ops that are left to the CPU, those inside the graph first.",
            )


def _float16(content):
    if content["quantization"]["state"] == "float16":
        yield finding(
            "note",
            "Weights are float16 and unpacked to float32 at load: the file is small, "
            "the memory in use is not.",
            f"DEQUANTIZE x{content['ops'].get('DEQUANTIZE', 0)}",
            "For less memory quantize to int8 or dynamic range; for a GPU it is right.",
        )


def _hybrid(content):
    hybrid = content["quantization"]["hybrid_ops"]
    if hybrid:
        yield finding(
            "note",
            "Hybrid ops: integer weights, float32 activations.",
            some(hybrid),
            "Right for a CPU; for an int8 device quantize the activations too: "
            f"{_INT8}.",
        )


def _left_in_float(content):
    """What a quantized file forgot; ai-edge-quantizer does so without a word."""
    state = content["quantization"]["state"]
    weights = content["quantization"]["float_weight_ops"]
    if weights and state not in ("float32", "float16"):
        yield finding(
            "warning",
            "Ops of a quantized file that have float weights.",
            some(weights),
            f"Quantize with {_INT8}, or with 'dynamic': both know recurrent layers.",
        )


def _int8_state(content):
    found = content["quantization"]
    state = found["state"]
    if state not in ("int8", "full_int8"):
        yield finding(
            "error",
            _NOT_INT8.get(
                state, f"The file computes in float: its quantization is {state}."
            ),
            "the whole file",
            f"Convert with {_INT8}, on some hundred real inputs.",
        )
        return
    for key, what in (
        ("float_weight_ops", "Ops that have float weights, not quantized at all."),
        ("hybrid_ops", "Hybrid ops: integer weights, float32 activations."),
    ):
        if found[key]:
            do = f"Convert again with {_INT8}; use layers whose ops have int8 kernels."
            yield finding("error", what, some(found[key]), do)


def _int8_floats(content):
    found = content["quantization"]
    if found["state"] not in ("int8", "full_int8"):
        return
    if found["float_ops"]:
        yield finding(
            "warning",
            "Ops that compute in float: an int8 device leaves them to its CPU.",
            some(found["float_ops"]),
            "Take them out of `float_ops` if they are there, else out of the model.",
        )
    ends = found["float_inputs"] + found["float_outputs"]
    if ends:
        yield finding(
            "warning",
            "Inputs or outputs are float32: they are converted on the CPU.",
            some(ends),
            "Set `inference_input_type` and `inference_output_type` of the converter "
            "to int8 if the device has no float at all.",
        )


def _known_faults(content):
    """Warnings, as what a device does is not known here."""
    for fault in content["gpu"]["known_faults"]:
        yield finding(
            "warning",
            f"Seen on GPUs, without an error: {fault['what']}",
            some(fault["tensors"]),
            f"{fault['do']} Compare GPU and CPU on the device. See {fault['thread']}.",
        )


def _shape_ops(content):
    names = {n: content["ops"][n] for n in content["shape_ops"]}
    return (
        f", and the file holds ops that compute shapes ({some(names)})" if names else ""
    )


def _inputs(content):
    specs = content["dynamic_inputs"]
    return some(f"{spec['name']} {tuple(spec['shape'])}" for spec in specs)


RULES = {
    "cpu": (_shapes_on_cpu, _float16, _hybrid, _left_in_float),
    "gpu": (_shapes_on_gpu, _refused, _cut, _known_faults, _hybrid),
    "int8": (_shapes_on_int8, _int8_state, _int8_floats),
    "microcontroller": micro_findings.RULES,
}
