"""Files that others write: their types, ops and containers."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from tests.doctor.examined import examine, said
from tests.lite.hand_made import FileMaker


def dense(path, dtype, weights, version, scales):
    """FULLY_CONNECTED of float inputs with integer weights `(32, 64)`."""
    maker = FileMaker()
    x = maker.tensor([1, 64])
    if isinstance(scales, schema.BlockwiseQuantizationT):
        scales.scales = maker.tensor([32, 2], "float16", np.ones((32, 2)))
    w = maker.tensor([32, 64], dtype, weights, scales)
    options = schema.FullyConnectedOptionsT()
    y = maker.op("FULLY_CONNECTED", [x, w, -1], [1, 32], "float32", options, version)
    return maker.write(path, "serve", {"x": x}, {"y": y})


class TestQuantization:
    def test_blocks(self, tmp_path):
        blocks = schema.BlockwiseQuantizationT()
        blocks.zeroPoints, blocks.blockSize = -1, 32
        weights = np.full(32 * 32, 0x21, "uint8")
        result = examine(dense(tmp_path / "a.tflite", "int4", weights, 12, blocks))
        assert result["quantization"]["state"] == "dynamic"
        assert result["quantization"]["hybrid_ops"] == {"FULLY_CONNECTED": 1}
        assert result["quantization"]["weights"] == {"INT4 in blocks of 32": 1024}

    @pytest.mark.parametrize("dtype, per_byte", [("int2", 4), ("uint4", 2)])
    def test_few_bits(self, tmp_path, dtype, per_byte):
        weights = np.zeros(32 * 64 // per_byte, "uint8")
        scales = np.full(32, 0.1)
        result = examine(dense(tmp_path / "a.tflite", dtype, weights, 14, scales))
        assert result["quantization"]["state"] == "dynamic"
        assert result["quantization"]["int8_share"] == 1

    def test_integers(self, tmp_path):
        maker = FileMaker()
        x = maker.tensor([4], "int32")
        y = maker.op("ADD", [x, x], [4], "int32", schema.AddOptionsT())
        path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
        result = examine(path, "int8")
        assert result["quantization"]["state"] == "integer"
        assert "in float" not in said(result, "integers that have no scales")["what"]

    @pytest.mark.parametrize("bias_scales, odd", [([0.02, 0.04], 0), ([0.02], 1)])
    def test_bias_per_channel(self, tmp_path, bias_scales, odd):
        maker = FileMaker()
        x = maker.tensor([1, 2, 2, 1], "int8", scales=[0.1])
        w = maker.tensor([2, 1, 1, 1], "int8", [1, 2], scales=[0.2, 0.4])
        b = maker.tensor([2], "int32", [1, 2], scales=bias_scales)
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = 1
        y = maker.op(
            "CONV_2D", [x, w, b], [1, 2, 2, 2], "int8", options, 3, scales=[0.5]
        )
        path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
        result = examine(path, "int8")
        assert len(result["quantization"]["odd_biases"]) == odd
        if odd:
            assert "one per output channel" in said(result, "Biases")["do"]


class TestOps:
    def test_unused_op_codes(self, tmp_path):
        maker = FileMaker()
        x = maker.tensor([1, 4])
        y = maker.op("ADD", [x, x], [1, 4], options=schema.AddOptionsT())
        for name in ("DISPATCH_OP", "FlexFoo"):
            code = schema.OperatorCodeT()
            code.builtinCode = code.deprecatedBuiltinCode = 32
            code.customCode = name.encode()
            maker.model.operatorCodes.append(code)
        path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
        result = examine(path)
        assert result["custom_ops"] == result["flex_ops"] == []
        assert result["status"] == "healthy" and result["findings"] == []

    def test_open_batch(self, tmp_path):
        maker = FileMaker()
        x = maker.tensor([1, 4], signature=[-1, 4])
        options = schema.AddOptionsT()
        y = maker.op("ADD", [x, x], [1, 4], options=options, signature=[-1, 4])
        path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
        result = examine(path)
        assert "compute shapes" not in said(result, "Input sizes are not fixed")["what"]
        assert "LiteRT/issues/9045" in said(examine(path, "int8"), "not fixed")["what"]

    def test_compiled(self, tmp_path):
        maker = FileMaker()
        x = maker.tensor([1, 4])
        y = maker.op("edgetpu-custom-op", [x], [1, 4])
        path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
        result = examine(path)
        assert result["status"] == "unhealthy"
        assert "Coral's Edge TPU" in said(result, "is compiled for")["what"]
        assert not [f for f in result["findings"] if "Custom ops" in f["what"]]

    @pytest.mark.parametrize("inside", ["TANH", "REVERSE_V2"])
    def test_composite(self, tmp_path, inside):
        options = schema.StableHLOCompositeOptionsT()
        options.name, options.decompositionSubgraphIndex = b"odml.mine", 1
        options.compositeAttributes = list(flexbuffers.Dumps({}))
        maker = FileMaker()
        x = maker.tensor([1, 4])
        y = maker.op("STABLEHLO_COMPOSITE", [x], [1, 4], options=options)
        maker.subgraph([x], [y])
        x = maker.tensor([1, 4])
        inputs = [x, maker.constant(1)] if inside == "REVERSE_V2" else [x]
        y = maker.op(inside, inputs, [1, 4])
        maker.model.subgraphs[1].inputs, maker.model.subgraphs[1].outputs = [x], [y]
        path = maker.write(tmp_path / "a.tflite", "serve", {"x": 0}, {"y": 1})
        result = examine(path, "gpu", True)
        assert result["runtime"]["loads"] and "message" not in result["run"]
        refused = [] if inside == "TANH" else [inside]
        assert list(result["gpu"]["refused"]) == refused
        assert result["gpu"]["entries"]["serve"]["gpu_ops"] == 1 - len(refused)
