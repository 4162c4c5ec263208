"""The one op that TFLite has for a whole LSTM."""

from typing import Any

import numpy as np
from litert_converter.mlir import ir

from kerasseq.export.stablehlo import tfl

_GATES = 4  # in Keras and in TFLite: input, forget, cell, output
_OP = "tfl.unidirectional_sequence_lstm"


def replace(composite: Any, number: int) -> None:
    """Makes `UNIDIRECTIONAL_SEQUENCE_LSTM` of the composite of an LSTM.

    Args:
        composite: The operation; what reads its results reads those of the op.
        number: Its number among all composites.
    """
    x, h, c, kernel, recurrent_kernel, bias = composite.operands
    point = ir.InsertionPoint(composite)
    # The op overwrites its states, so they are copies that nothing else reads.
    h, c = (
        _own(state, x, 2 * number + index, point) for index, state in enumerate((h, c))
    )
    none = tfl.nothing(point)
    gates = [_gates(w, point) for w in (kernel, recurrent_kernel, bias)]
    peepholes, projection, norms = [none] * 3, [none] * 2, [none] * 4
    operands = [x, *gates[0], *gates[1], *peepholes, *gates[2], *projection]
    false, zero = ir.BoolAttr.get(False), ir.FloatAttr.get_f32(0.0)
    lstm = ir.Operation.create(
        _OP,
        results=[composite.results[0].type],
        operands=[*operands, h, c, *norms],
        attributes={
            "fused_activation_function": ir.StringAttr.get("TANH"),
            "cell_clip": zero,
            "proj_clip": zero,
            "time_major": false,
            "asymmetric_quantize_inputs": false,
            "diagonal_recurrent_tensors": false,
        },
        ip=point,
    )
    composite.results[0].replace_all_uses_with(lstm.results[0])
    composite.results[1].replace_all_uses_with(c)  # as the op leaves it


def _gates(weights, point):
    """The weights of each gate, `(units, inputs)` or `(units,)`."""
    array = tfl.array(weights)
    if array is None:
        return [_part(weights, gate, point) for gate in range(_GATES)]
    parts = np.split(array, _GATES, axis=-1)
    return [tfl.floats(part.T, point) for part in parts]


def _part(weights, gate, point):
    """As one of `_gates`, of weights that are computed."""
    *rows, columns = tfl.shape(weights)
    units, element = columns // _GATES, weights.type.element_type
    begin, shape = [0] * len(rows) + [gate * units], [*rows, units]
    places = [tfl.integers(begin, point), tfl.integers(shape, point)]
    part = tfl.made("tfl.slice", shape, element, [weights, *places], point)
    if not rows:
        return part
    order = tfl.integers([1, 0], point)
    return tfl.made("tfl.transpose", shape[::-1], element, [part, order], point)


def _own(state, x, serial, point):
    """A copy of a state that is computed in each run, and used by no other op.

    A number modulo 1 is zero, whatever the input is.
    """
    (rows, units), element = tfl.shape(state), state.type.element_type
    i32, none = ir.IntegerType.get_signless(32), ir.StringAttr.get("NONE")
    places = [tfl.integers([0, 0, 0], point), tfl.integers([rows, 1, 1], point)]
    number = tfl.made("tfl.slice", [rows, 1, 1], element, [x, *places], point)
    number = tfl.made("tfl.cast", [rows, 1, 1], i32, [number], point)
    number = tfl.reshaped(number, [rows, 1], point)
    add = {"fused_activation_function": none}
    serials = tfl.integers([[serial] * units], point)
    number = tfl.made("tfl.add", [rows, units], i32, [number, serials], point, **add)
    ones = tfl.integers([[1] * units], point)
    zeros = tfl.made("tfl.floor_mod", [rows, units], i32, [number, ones], point)
    zeros = tfl.made("tfl.cast", [rows, units], element, [zeros], point)
    return tfl.made("tfl.add", [rows, units], element, [state, zeros], point, **add)
