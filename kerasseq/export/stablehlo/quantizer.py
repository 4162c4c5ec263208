"""Quantizes a TFLite file with LiteRT's own quantizer."""

import fnmatch
import re
from collections.abc import Sequence

from ai_edge_quantizer import qtyping, recipe
from ai_edge_quantizer import quantizer as litert_quantizer
from ai_edge_quantizer.algorithm_manager import AlgorithmName
from ai_edge_quantizer.calibrator import Calibrator
from ai_edge_quantizer.recipe_manager import RecipeManager
from ai_edge_quantizer.utils import qsv_utils

from kerasseq.export import layer_nodes, postprocess
from kerasseq.export import samples as samples_lib
from kerasseq.export.stablehlo import constants, int8_tables

_ANY = ".*"
_ALL = qtyping.TFLOperationName.ALL_SUPPORTED
_ENDS = (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT)


def dynamic(content: bytes) -> bytes:
    """Stores weights in int8; activations stay float.

    Args:
        content: The bytes of a float TFLite file.

    Returns:
        The bytes of the quantized file.
    """
    return _weights(content, recipe.dynamic_legacy_wi8_afp32())


def int4(content: bytes, block_size: int | None = None) -> bytes:
    """Stores weights of dense layers in int4, tables in int8; activations stay float.

    Args:
        content: The bytes of a float TFLite file.
        block_size: Number of weights with a scale of their own; `None` for those of
            one unit.

    Returns:
        The bytes of the quantized file.

    Raises:
        ValueError: If the blocks do not divide the inputs of a layer.
    """
    granularity = qtyping.QuantGranularity.CHANNELWISE
    if block_size:
        granularity = qtyping.QuantGranularity(f"BLOCKWISE_{block_size}")
    manager = RecipeManager()
    manager.add_dynamic_config(
        regex=_ANY,
        operation_name=qtyping.TFLOperationName.FULLY_CONNECTED,
        num_bits=4,
        granularity=granularity,
    )
    return _weights(content, manager.get_quantization_recipe())


def _weights(content, steps):
    quantizer = litert_quantizer.Quantizer(bytearray(constants.apart(content)))
    quantizer.load_quantization_recipe(steps)
    content = postprocess.take_in(bytes(quantizer.quantize().quantized_model))
    return int8_tables.apply(content)


def int8(
    content: bytes,
    data: samples_lib.Samples,
    float_ops: Sequence[str] = (),
    float_layers: Sequence[str] = (),
    layers: Sequence[str] = (),
) -> bytes:
    """Stores weights and activations in int8; inputs and outputs stay as they are.

    Args:
        content: The bytes of a float TFLite file with the names of its tensors.
        data: `{signature name: [{input name: array}]}` that set the ranges.
        float_ops: Names of builtin ops that stay float.
        float_layers: Patterns of names of layers that stay float.
        layers: Names of the layers.

    Returns:
        The bytes of the quantized file.

    Raises:
        ValueError: If no op is left to quantize.
    """
    content = constants.apart(content)
    quantizer = litert_quantizer.Quantizer(bytearray(content))
    quantizer.add_static_config(_ANY, _ALL, activation_num_bits=8, weight_num_bits=8)
    known = set(qtyping.TFLOperationName)
    for op in (*_ENDS, *(x for x in float_ops if x in known)):
        _keep(quantizer, _ANY, op)
    nodes = layer_nodes.layers_of_nodes(content, layers) if float_layers else {}
    for node, layer in nodes.items():
        if any(fnmatch.fnmatch(layer or "", pattern) for pattern in float_layers):
            _keep(quantizer, re.escape(node), _ALL)
    ranges = _ranges(content, data, quantizer.get_quantization_recipe())
    return bytes(quantizer.quantize(ranges).quantized_model)


def _ranges(content, data, steps):
    """The smallest and the largest value of each tensor.

    The quantizer's own `calibrate` takes moving averages of them, which clip.
    """
    manager = RecipeManager()
    manager.load_quantization_recipe(steps)
    calibrator = Calibrator(
        bytearray(content), num_threads=1, qsv_update_func=qsv_utils.min_max_update
    )
    calibrator.calibrate(data, manager)
    return calibrator.get_model_qsvs()


def _keep(quantizer, nodes, op):
    quantizer.update_quantization_recipe(
        nodes, op, algorithm_key=AlgorithmName.NO_QUANTIZE
    )
