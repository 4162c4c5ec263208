import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite
from kerasseq.export import slim


def named(content):
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    return [t.name for graph in model.subgraphs for t in graph.tensors if t.name]


def test_only_inputs_and_outputs_have_names(exported, tmp_path):
    content = (exported[1] / "model.tflite").read_bytes()
    assert len(named(content)) == 5  # x and scores; x, start and tokens
    again = slim.without_inner_names(content)
    assert abs(len(again) - len(content)) < 64
    (tmp_path / "again.tflite").write_bytes(again)
    x = np.ones((1, 6, 4), "float32")
    files = (exported[1] / "model.tflite", tmp_path / "again.tflite")
    first, second = (lite.Runner(file).run("serve", x=x)["scores"] for file in files)
    np.testing.assert_array_equal(first, second)
