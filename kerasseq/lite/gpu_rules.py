"""Which ops of a TFLite file the GPU delegate of the mobile runtime takes.

What it does not take runs on the CPU, and the graph is cut there: by default only the
largest piece between two cuts goes to the GPU.
"""

from collections.abc import Iterable, Sequence

# Facts from google-ai-edge/LiteRT, tflite/delegates/gpu/common/model_builder.cc, the
# cases of NewOperationParser, as of commit 2bd0c6fa (11 June 2026). DEQUANTIZE and
# QUANTIZE count while the delegate's quantized inference is on, the default. The newer
# GPU accelerator of the same repository (ml_drift_delegate/tflite/model_builder.cc,
# 570df6db, 4 August 2026) takes all of these but DENSIFY, and more.
OPS = (
    "ABS",
    "ADD",
    "ADD_N",
    "AVERAGE_POOL_2D",
    "BATCH_MATMUL",
    "CAST",
    "CONCATENATION",
    "CONV_2D",
    "COS",
    "CUMSUM",
    "DENSIFY",
    "DEPTHWISE_CONV_2D",
    "DEPTH_TO_SPACE",
    "DEQUANTIZE",
    "DIV",
    "ELU",
    "EQUAL",
    "EXP",
    "FLOOR",
    "FLOOR_DIV",
    "FLOOR_MOD",
    "FULLY_CONNECTED",
    "GATHER",
    "GELU",
    "GREATER",
    "GREATER_EQUAL",
    "HARD_SWISH",
    "LEAKY_RELU",
    "LESS",
    "LESS_EQUAL",
    "LOG",
    "LOGICAL_AND",
    "LOGISTIC",
    "LSTM",
    "MAXIMUM",
    "MAX_POOL_2D",
    "MEAN",
    "MINIMUM",
    "MIRROR_PAD",
    "MUL",
    "NEG",
    "NOT_EQUAL",
    "ONE_HOT",
    "PACK",
    "PAD",
    "PADV2",
    "POW",
    "PRELU",
    "QUANTIZE",
    "REDUCE_MAX",
    "REDUCE_MIN",
    "REDUCE_PROD",
    "RELU",
    "RELU6",
    "RELU_0_TO_1",
    "RELU_N1_TO_1",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
    "RSQRT",
    "SELECT",
    "SELECT_V2",
    "SIGN",
    "SIN",
    "SLICE",
    "SOFTMAX",
    "SPACE_TO_DEPTH",
    "SPLIT",
    "SPLIT_V",
    "SQRT",
    "SQUARE",
    "SQUARED_DIFFERENCE",
    "STRIDED_SLICE",
    "SUB",
    "SUM",
    "TANH",
    "TILE",
    "TRANSPOSE",
    "TRANSPOSE_CONV",
    "UNPACK",
)
_MOST_AXES = 4  # the same file, IsAllAllowedTensors
# Types of computed tensors, the same file, GetOpsToReplace; then what one op adds.
# Those of CAST are from tflite/tools/versioning/gpu_compatibility.cc; its checks of
# options and sizes are not repeated here.
_TYPES = ("FLOAT32", "FLOAT16", "INT8", "UINT8")
_CAST_TYPES = ("BOOL", "FLOAT16", "FLOAT32", "INT32")
_MORE_INPUT_TYPES = {
    "GATHER": ("INT32",),
    "LOGICAL_AND": ("BOOL",),
    "ONE_HOT": ("INT32",),
    "SELECT": ("BOOL",),
    "SELECT_V2": ("BOOL",),
}
_COMPARISONS = (
    "EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL NOT_EQUAL LOGICAL_AND".split()
)
_MORE_OUTPUT_TYPES = dict.fromkeys(_COMPARISONS, ("BOOL",))
BY_TYPE = "a tensor of type"  # how `refusal` begins where only a type is in the way


def refused_ops(
    operators: Iterable[tuple[str, Sequence[Sequence[int]]]],
) -> list[str]:
    """The ops that the GPU delegate leaves to the CPU.

    An op is refused if it is not in `OPS`, or if one of its tensors has five or more
    axes, as those of `keras.layers.GroupNormalization` on images do. The delegate also
    looks at types and at some options, which this function does not: the `CAST` of a
    uint8 image, the first op of an `export.image_signature`, runs on the CPU, and so
    does arithmetic on int32.

    Args:
        operators: Pairs `(op name, shapes of its tensors)`.

    Returns:
        A sorted list of op names, each once.

    Example:

    ```python
    gpu_rules.refused_ops([("ADD", [(1, 8)]), ("WHILE", [()])])  # ["WHILE"]
    ```

    Reference:
        https://github.com/google-ai-edge/LiteRT, `tflite/delegates/gpu/common/
        model_builder.cc`.
    """
    return sorted({name for name, shapes in operators if refusal(name, shapes)})


def refusal(
    name: str,
    shapes: Sequence[Sequence[int | None]],
    input_types: Iterable[str] = (),
    output_types: Iterable[str] = (),
) -> str | None:
    """Why the GPU delegate leaves an op to the CPU.

    Args:
        name: Name of the op.
        shapes: Shapes of its tensors.
        input_types: Types of its inputs that are no constants, e.g. `"INT32"`.
        output_types: Types of its outputs.

    Returns:
        The reason, or `None` if the delegate takes the op.
    """
    if name not in OPS:
        return "not in the delegate's list"
    axes = max(map(len, shapes), default=0)
    if axes > _MOST_AXES:
        return f"a tensor with {axes} axes, the delegate takes {_MOST_AXES}"
    types = _CAST_TYPES if name == "CAST" else _TYPES
    inputs = (*types, *_MORE_INPUT_TYPES.get(name, ()))
    outputs = (*types, *_MORE_OUTPUT_TYPES.get(name, ()))
    wrong = [t for t in input_types if t not in inputs]
    wrong += [t for t in output_types if t not in outputs]
    return f"{BY_TYPE} {wrong[0]}" if wrong else None
