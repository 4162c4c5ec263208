"""What ops must have before the runtime sees them: its kernels do not look."""

from collections.abc import Sequence

from ai_edge_litert import schema_py_generated as schema

# The least number of inputs of builtin ops, as their kernels read them.
_LEAST_INPUTS = {
    1: "ABS AVERAGE_POOL_2D CAST CEIL COS DEPTH_TO_SPACE DEQUANTIZE ELU EXP FLOOR GELU "
    "HARD_SWISH L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LOG LOGICAL_NOT LOGISTIC "
    "LOG_SOFTMAX MAX_POOL_2D NEG PACK QUANTIZE RANK RELU RELU6 RELU_0_TO_1 "
    "RELU_N1_TO_1 RESHAPE ROUND RSQRT SHAPE SIGN SIN SOFTMAX SPACE_TO_DEPTH SQRT "
    "SQUARE SQUEEZE TANH UNIQUE UNPACK WHERE ZEROS_LIKE CONCATENATION",
    2: "ADD ARG_MAX ARG_MIN BATCH_MATMUL BITWISE_XOR BROADCAST_ARGS BROADCAST_TO "
    "CONV_2D CONV_3D CUMSUM DEPTHWISE_CONV_2D DIV EMBEDDING_LOOKUP EQUAL EXPAND_DIMS "
    "FILL FLOOR_DIV FLOOR_MOD FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL "
    "LESS LESS_EQUAL LOGICAL_AND LOGICAL_OR MATRIX_SET_DIAG MAXIMUM MEAN MINIMUM "
    "MIRROR_PAD MUL NOT_EQUAL PAD POW PRELU REDUCE_ALL REDUCE_ANY REDUCE_MAX "
    "REDUCE_MIN REDUCE_PROD RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE "
    "REVERSE_V2 RIGHT_SHIFT SEGMENT_SUM SPLIT SQUARED_DIFFERENCE SUB SUM TILE TOPK_V2 "
    "TRANSPOSE",
    3: "BATCH_TO_SPACE_ND CONV_3D_TRANSPOSE DYNAMIC_UPDATE_SLICE HASHTABLE_LOOKUP "
    "PADV2 RANGE SCATTER_ND SELECT SELECT_V2 SLICE SPACE_TO_BATCH_ND SPLIT_V "
    "TRANSPOSE_CONV UNSORTED_SEGMENT_SUM",
    4: "ONE_HOT SPARSE_TO_DENSE STRIDED_SLICE SVDF",
    5: "RNN UNIDIRECTIONAL_SEQUENCE_RNN",
    20: "UNIDIRECTIONAL_SEQUENCE_LSTM",
}
_LEAST_BY_CODE = {
    getattr(schema.BuiltinOperator, name): number
    for number, names in _LEAST_INPUTS.items()
    for name in names.split()
}
# Ops whose options say how many outputs they have.
_COUNTED = {
    schema.BuiltinOperator.SPLIT: (schema.SplitOptions, "NumSplits"),
    schema.BuiltinOperator.SPLIT_V: (schema.SplitVOptions, "NumSplits"),
    schema.BuiltinOperator.UNPACK: (schema.UnpackOptions, "Num"),
}
_OF_ONE_TYPE = {
    getattr(schema.BuiltinOperator, name)
    for name in ("MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM")
}
# Ops that compute with the scales of 8-bit integers.
_SCALED = {
    getattr(schema.BuiltinOperator, name)
    for name in (
        "ABS ADD BATCH_MATMUL CONV_2D DEPTHWISE_CONV_2D EQUAL EXP FULLY_CONNECTED "
        "GREATER GREATER_EQUAL HARD_SWISH LEAKY_RELU LESS LESS_EQUAL LOGISTIC "
        "LOG_SOFTMAX MUL NOT_EQUAL PRELU RSQRT SOFTMAX SQUARED_DIFFERENCE SUB TANH"
    ).split()
}
_RESOURCES = {
    getattr(schema.BuiltinOperator, name)
    for name in (
        "ASSIGN_VARIABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE READ_VARIABLE"
    ).split()
}
_QUANTIZED = (schema.TensorType.INT8, schema.TensorType.UINT8)


def check(
    op: schema.Operator,
    code: int,
    inputs: Sequence[int],
    outputs: Sequence[int],
    tensors: Sequence[schema.Tensor],
) -> None:
    """Checks the form of an op.

    Args:
        op: The op.
        code: Its code among the builtin ops.
        inputs: Indices of its inputs.
        outputs: Indices of its outputs.
        tensors: The tensors of its subgraph.

    Raises:
        ValueError: If it has too few inputs or outputs, or tensors without scales
            where its kernel computes with scales.
    """
    resources = tensors[inputs[0]].Type() if inputs else None
    if code in _RESOURCES and resources != schema.TensorType.RESOURCE:
        raise ValueError("an op for variables has none")
    least = _LEAST_BY_CODE.get(code)
    if least is None:
        return
    if len(inputs) < least or not outputs:
        raise ValueError(f"an op has {len(inputs)} inputs, {len(outputs)} outputs")
    if code in _COUNTED and len(outputs) != _count(op, *_COUNTED[code]):
        raise ValueError(f"an op has {len(outputs)} outputs, not as it says")
    one_type = code in _OF_ONE_TYPE
    if one_type and tensors[inputs[0]].Type() != tensors[outputs[0]].Type():
        raise ValueError("an op returns another type than it takes")
    # Products of integers without scales are int32.
    if code in _SCALED and tensors[outputs[0]].Type() != schema.TensorType.INT32:
        for index in (*inputs[:2], outputs[0]):
            if index >= 0 and not _has_scale(tensors[index]):
                raise ValueError("an op computes with scales that are not there")


def _count(op, kind, name):
    """How many outputs its options say that it has; 0 if it has no options."""
    table = op.BuiltinOptions()
    if table is None:
        return 0
    options = kind()
    options.Init(table.Bytes, table.Pos)
    return getattr(options, name)()


def _has_scale(tensor):
    if tensor.Type() not in _QUANTIZED:
        return True
    quantization = tensor.Quantization()
    return quantization is not None and (
        quantization.ScaleLength() > 0 or quantization.DetailsType() != 0
    )
