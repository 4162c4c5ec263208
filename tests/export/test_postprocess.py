import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq import export, lite
from kerasseq.export import postprocess
from kerasseq.lite import flatbuffer


def read(content):
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def named(content):
    graphs = read(content).subgraphs
    return [t.name for graph in graphs for t in graph.tensors if t.name]


def test_only_inputs_and_outputs_have_names(exported, tmp_path):
    content = (exported[1] / "model.tflite").read_bytes()
    assert len(named(content)) == 5  # x and scores; x, start and tokens
    again = postprocess.apply(content)
    assert abs(len(again) - len(content)) < 64
    (tmp_path / "again.tflite").write_bytes(again)
    x = np.ones((1, 6, 4), "float32")
    files = (exported[1] / "model.tflite", tmp_path / "again.tflite")
    first, second = (lite.Runner(file).run("serve", x=x)["scores"] for file in files)
    np.testing.assert_array_equal(first, second)


def equal_outputs(model):
    def function(x):
        y = model(x)
        total = keras.ops.sum(y)
        zeros = [keras.ops.zeros((1, 2)) for _ in range(3)]
        outputs = {"x": x, "again": x, "y": y, "z": y, "total": total, "sum": total}
        return outputs | {f"state_{i}": value for i, value in enumerate(zeros)}

    return {"step": (function, {"x": ((1, 4), "float32")})}


def test_each_output_has_its_own_tensor(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    export.export_model(model, tmp_path, signatures=equal_outputs)
    file = tmp_path / "model.tflite"
    content = read(file.read_bytes())
    (signature,), (graph,) = content.signatureDefs, content.subgraphs
    tensors = {output.tensorIndex for output in signature.outputs}
    assert len(tensors) == 9
    assert tensors == set(graph.outputs) and not tensors & set(graph.inputs)
    assert len({graph.tensors[index].name for index in tensors}) == 9

    x = np.float32([[1, -2, 3, 4]])
    y = model.predict(x, verbose=0)
    found = lite.Runner(file).run("step", x=x)
    expected = {"x": x, "again": x, "y": y, "z": y, "total": y.sum(), "sum": y.sum()}
    expected |= {f"state_{i}": np.zeros((1, 2), "float32") for i in range(3)}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6)


def test_equal_constants_are_stored_once(tmp_path):
    kernel = np.random.default_rng(0).normal(size=(64, 64)).astype("float32")
    x = keras.Input((64,), name="x")
    first, second = (keras.layers.Dense(64, use_bias=False) for _ in range(2))
    model = keras.Model(x, second(keras.activations.tanh(first(x))))
    model.set_weights([kernel, kernel])
    entry = export.export_model(model, tmp_path)["artifacts"][0]
    assert entry["bytes"] < 1.2 * kernel.nbytes


def test_constants_behind_the_flatbuffer_come_into_it(exported):
    model = read((exported[1] / "model.tflite").read_bytes())
    large = max(model.buffers, key=lambda x: 0 if x.data is None else len(x.data))
    values, large.data = np.array(large.data), None
    body = flatbuffer.write(model)
    large.offset, large.size = -(-len(body) // 16) * 16 + 64, len(values)
    body = flatbuffer.write(model)  # now with both numbers
    content = body.ljust(large.offset, b"\0") + values.tobytes()
    taken = read(postprocess.take_in(content)).buffers
    assert any(x.data is not None and np.array_equal(x.data, values) for x in taken)
    assert not any(x.size for x in taken)
