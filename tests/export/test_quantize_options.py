"""What `quantize` takes, and what it says to the rest."""

import pytest

from kerasseq import export
from kerasseq.export import quantize_options

INT8 = export.Int8({"x": [[0.0]]}, float_layers=["dense*"], float_ops=("SOFTMAX",))


def test_names_and_options_may_be_mixed():
    options = quantize_options.parse(["dynamic", export.Float16(), INT8])
    assert options == [export.Dynamic(), export.Float16(), INT8]
    assert [option.precision for option in options] == ["dynamic", "float16", "int8"]
    assert quantize_options.parse(()) == []


@pytest.mark.parametrize(
    ("quantize", "message"),
    [
        (["int2"], "must be a list out of.*int2"),
        (None, "must be a list out of.*None"),
        (5, "must be a list out of.*5"),
        ("float16", "must be a list out of.*float16"),
        (INT8, "must be a list out of.*Int8"),
        ([export.Int8], "must be a list out of"),
        (["int8"], r"write `quantize=\[kerasseq.export.Int8\(data\)\]`"),
        (["dynamic", export.Dynamic()], "each precision once.*'dynamic', 'dynamic'"),
    ],
)
def test_what_is_refused(quantize, message):
    with pytest.raises(ValueError, match=message):
        quantize_options.parse(quantize)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": None}, r"kerasseq.export.Int8\(data\).*data=None"),
        ({"float_ops": ("Softmax",)}, "names of TFLite builtin ops"),
        ({"float_ops": "SOFTMAX"}, "must be a list of names"),
        ({"float_layers": "dense"}, "list of patterns"),
        ({"float_layers": 5}, "list of patterns"),
        ({"float_layers": [5]}, "list of patterns"),
        ({"float_ops": None}, "must be a list of names"),
    ],
)
def test_options_of_int8(options, message):
    with pytest.raises(ValueError, match=message):
        export.Int8(**({"data": []} | options))


def test_float_layers_match_a_layer():
    quantize_options.check_layers([INT8], ["dense_1", "logits"])
    with pytest.raises(ValueError, match="'dense.*matches none of .'logits'"):
        quantize_options.check_layers([INT8], ["logits"])


def test_names_from_a_generator_are_kept():
    option = export.Int8({"x": []}, (x for x in ["dense*"]), (x for x in ["ADD"]))
    assert (option.float_layers, option.float_ops) == (("dense*",), ("ADD",))
