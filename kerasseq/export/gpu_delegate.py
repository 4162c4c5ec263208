"""Which ops of a TFLite file the GPU delegate of the mobile runtime takes.

What it does not take runs on the CPU, and the graph is cut there: by default only the
largest piece between two cuts goes to the GPU.
"""

# Facts from google-ai-edge/LiteRT, tflite/delegates/gpu/common/model_builder.cc, the
# cases of NewOperationParser, as of commit 2bd0c6fa (11 June 2026). DEQUANTIZE and
# QUANTIZE count while the delegate's quantised inference is on, the default. The newer
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


def refused(operators):
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
    gpu_delegate.refused([("ADD", [(1, 8)]), ("WHILE", [()])])  # ["WHILE"]
    ```

    Reference:
        https://github.com/google-ai-edge/LiteRT, `tflite/delegates/gpu/common/
        model_builder.cc`.
    """
    return sorted(
        {
            name
            for name, shapes in operators
            if name not in OPS or any(len(shape) > _MOST_AXES for shape in shapes)
        }
    )
