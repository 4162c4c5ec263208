import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite
from kerasseq.lite import flatbuffer, packed_files
from tests.lite import hand_made


def places(content):
    """Where the constants of a file begin."""
    model = schema.Model.GetRootAs(content, 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    filled = [b for b in buffers if b.DataLength()]
    return [b._tab.Vector(b._tab.Offset(4)) for b in filled]


class TestWrite:
    def test_constants_are_aligned(self, tmp_path):
        path = hand_made.classifier(tmp_path / "model.tflite")
        image = np.full((1, 8, 8, 3), [3, 7, 5], "uint8")
        expected = lite.Runner(path).run(image=image)["probabilities"]
        content = flatbuffer.write(flatbuffer.read(path))
        assert {place % 16 for place in places(content)} == {0}
        path.write_bytes(content)
        found = lite.Runner(path).run(image=image)["probabilities"]
        assert found.tolist() == expected.tolist()

    def test_exported_files(self, exported, tmp_path):
        content = (exported[1] / "model.tflite").read_bytes()
        assert len(places(content)) > 10
        assert {place % 16 for place in places(content)} == {0}
        (tmp_path / "model.tflite").write_bytes(content)
        packed_files.pack(tmp_path / "model.tflite", {"card.json": b"{}"})
        packed = (tmp_path / "model.tflite").read_bytes()
        assert {place % 16 for place in places(packed)} == {0}
