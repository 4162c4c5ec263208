"""What of a TFLite file runs on a microcontroller, with TensorFlow Lite Micro."""

from collections.abc import Iterable

# Facts from tensorflow/tflite-micro, tensorflow/lite/micro/micro_mutable_op_resolver.h,
# the builtin ops that can be added, as of commit 90b983c2 (20 August 2026).
OPS = frozenset(
    "ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_MATMUL "
    "BATCH_TO_SPACE_ND BROADCAST_ARGS BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION "
    "CONV_2D COS CUMSUM DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV "
    "DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FILL FLOOR "
    "FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL "
    "HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL LOG "
    "LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MAXIMUM MAX_POOL_2D MEAN "
    "MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE READ_VARIABLE "
    "REDUCE_ALL REDUCE_MAX REDUCE_MIN RELU RELU6 RESHAPE RESIZE_BILINEAR "
    "RESIZE_NEAREST_NEIGHBOR REVERSE_V2 ROUND RSQRT SELECT_V2 SHAPE SIN SLICE SOFTMAX "
    "SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE "
    "SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV "
    "UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE".split()
)
# The same file; ops of its audio front end begin with "Signal".
CUSTOM_OPS = frozenset(
    ("CIRCULAR_BUFFER", "TFLM_DECODE", "TFLite_Detection_PostProcess", "ethos-u")
)
_SIGNAL = "Signal"
# micro/kernels/{conv,dequantize}_common.cc and fully_connected.cc of the same commit.
_FLOATS = ("FLOAT32", "FLOAT16")
_SUMS_OF_PRODUCTS = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"),
    *("TRANSPOSE_CONV", "BATCH_MATMUL", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
)
HYBRID = "integer weights with float activations, for which there is no kernel"


def refusal(
    name: str, computed_types: Iterable[str], constant_types: Iterable[str] = ()
) -> str | None:
    """Why the interpreter does not run an op.

    Args:
        name: Name of the op.
        computed_types: Types of its computed tensors, e.g. `"INT8"`.
        constant_types: Types of its constants that have scales or are float.

    Returns:
        The reason, or `None` if there is a kernel.

    Example:

    ```python
    micro_rules.refusal("GELU", ["FLOAT32"])  # "no kernel"
    ```

    Reference:
        https://github.com/tensorflow/tflite-micro, `tensorflow/lite/micro/
        micro_mutable_op_resolver.h`.
    """
    if name not in OPS and name not in CUSTOM_OPS and not name.startswith(_SIGNAL):
        return "no kernel"
    computed, constants = set(computed_types), set(constant_types)
    if name == "DEQUANTIZE" and "FLOAT16" in constants | computed:
        return "float16, which is not unpacked there"
    if name in _SUMS_OF_PRODUCTS and computed & set(_FLOATS) and constants - {*_FLOATS}:
        return HYBRID
    wide = computed & {"FLOAT16", "FLOAT64", "UINT8"}
    if wide and name in _SUMS_OF_PRODUCTS:
        return f"a tensor of type {min(wide)}"
    return None
