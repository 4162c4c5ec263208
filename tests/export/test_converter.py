import collections

import pytest

from kerasseq.export import converter, front_ends
from kerasseq.export.saved_model import convert_child

Layer = collections.namedtuple("Layer", "name")
MESSAGE = """\
loc(callsite(fused["Cumprod:", "functional_1/rnn_1/cell_2/Cumprod@__inference_f_3"] at \
callsite(fused["StatefulPartitionedCall:", "StatefulPartitionedCall"]))): error: \
'tf.Cumprod' op is neither a custom op nor a flex op
loc(fused["While:", "functional_1/rnn_1/while@__inference_f_3"]): error: \
'tf.While' op is neither a custom op nor a flex op
error: failed while converting: 'main':
TF Select ops: Cumprod, Roll
Details:
"""


def explain(message, layers):
    error = {"message": message, "failing": convert_child.failing(message)}
    return converter.explain(error, layers)


class TestBasics:
    def test_names_op_and_innermost_layer(self):
        text = explain(MESSAGE, [Layer("rnn"), Layer("cell_2")])
        assert "op 'Cumprod' in layer 'cell_2' (Layer); op 'Roll' in" in text
        assert "While" not in text and "'StatefulPartitionedCall'" not in text

    def test_op_outside_layers(self):
        text = explain(MESSAGE, [])
        assert "no layer (node 'functional_1/rnn_1/cell_2/Cumprod')" in text

    def test_hint(self):
        text = explain("TF Select ops: BitwiseAnd", [])
        assert "`keras.ops.argmax` of floats" in text

    def test_unknown_message(self):
        assert "builtin ops: strange" in explain("strange\nmore", [])


class TestErrors:
    @pytest.mark.parametrize(
        "code, message",
        [
            ("sys.stderr.write('last words'); sys.exit(5)", "exit status 5.*last word"),
            (
                "print('dying', file=sys.stderr, flush=True); os.kill(os.getpid(), 11)",
                "killed by signal 11.*dying",
            ),
            ("pass", "without writing a file"),
        ],
    )
    def test_crash_of_the_child(self, code, message, tmp_path, monkeypatch):
        package = tmp_path / "crashing"
        package.mkdir()
        (package / "convert_child.py").write_text(f"import os, sys\n{code}\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        front_end = front_ends.FrontEnd("crashing", "crashing", (), (), (), "")
        with pytest.raises(RuntimeError, match=f"(?s){message}"):
            job = converter.Job(tmp_path, tmp_path / "model.tflite", ["serve"])
            converter.convert(front_end, [job], [])
