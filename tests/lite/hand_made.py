"""Small TFLite files made by hand, op by op, without TensorFlow."""

import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

LENGTH, SIDE = 12, 8
_TYPES = {
    "int32": schema.TensorType.INT32,
    "uint8": schema.TensorType.UINT8,
    "float32": schema.TensorType.FLOAT32,
}


class FileMaker:
    """Collects the tensors and ops of a file with one signature."""

    def __init__(self):
        self._model, self._graph = schema.ModelT(), schema.SubGraphT()
        self._model.version, self._model.description = 3, b"made by hand"
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes, self._model.metadata = [], []
        self._graph.tensors, self._graph.operators = [], []

    def tensor(self, shape, dtype="float32", value=None):
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = shape, _TYPES[dtype], 0
        tensor.name = b"tensor %d" % len(self._graph.tensors)
        if value is not None:
            self._model.buffers.append(schema.BufferT())
            self._model.buffers[-1].data = np.array(value, dtype).view("uint8").ravel()
            tensor.buffer = len(self._model.buffers) - 1
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, *values):
        return self.tensor([len(values)], "int32", values)

    def op(self, name, inputs, shape, dtype="float32", options=None):
        """Adds an op and returns the index of its output."""
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        self._model.operatorCodes.append(code)
        op.opcodeIndex = len(self._model.operatorCodes) - 1
        output = self.tensor(shape, dtype)
        op.inputs, op.outputs = inputs, [output]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            op.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            op.builtinOptions = options
        self._graph.operators.append(op)
        return output

    def write(self, path, signature, inputs, outputs):
        self._graph.inputs = list(inputs.values())
        self._graph.outputs = list(outputs.values())
        definition = schema.SignatureDefT()
        definition.signatureKey, definition.subgraphIndex = signature.encode(), 0
        definition.inputs, definition.outputs = _ends(inputs), _ends(outputs)
        self._model.subgraphs = [self._graph]
        self._model.signatureDefs = [definition]
        builder = flatbuffers.Builder()
        builder.Finish(self._model.Pack(builder), b"TFL3")
        path = pathlib.Path(path)
        path.write_bytes(builder.Output())
        return path


def _ends(tensors):
    ends = []
    for name, index in tensors.items():
        ends.append(schema.TensorMapT())
        ends[-1].name, ends[-1].tensorIndex = name.encode(), index
    return ends


def translator(path):
    """Its two beams both say what went in; the scores are the sums of the tokens."""
    maker = FileMaker()
    source = maker.tensor([1, LENGTH], "int32")
    beams = maker.op(
        "RESHAPE", [source, maker.constant(1, 1, LENGTH)], [1, 1, LENGTH], "int32"
    )
    tokens = maker.op("TILE", [beams, maker.constant(1, 2, 1)], [1, 2, LENGTH], "int32")
    floats = maker.op("CAST", [tokens], [1, 2, LENGTH])
    scores = maker.op("SUM", [floats, maker.constant(2)], [1, 2])
    outputs = {"tokens": tokens, "scores": scores}
    return maker.write(path, "beam", {"source": source}, outputs)


def generator(path):
    """It returns the prompt, each token raised by the seed."""
    maker = FileMaker()
    prompt, seed = maker.tensor([1, LENGTH], "int32"), maker.tensor([1], "int32")
    options = schema.AddOptionsT()
    tokens = maker.op("ADD", [prompt, seed], [1, LENGTH], "int32", options)
    inputs = {"prompt": prompt, "seed": seed}
    return maker.write(path, "generate", inputs, {"tokens": tokens})


def classifier(path, channels=3):
    """The probability of a class is the mean of its channel."""
    maker = FileMaker()
    image = maker.tensor([1, SIDE, SIDE, channels], "uint8")
    floats = maker.op("CAST", [image], [1, SIDE, SIDE, channels])
    means = maker.op("MEAN", [floats, maker.constant(1, 2)], [1, channels])
    return maker.write(path, "serve", {"image": image}, {"probabilities": means})


def segmenter(path, width=SIDE, channels=3):
    """The class of a pixel is its largest channel; `edges` the same, turned around."""
    maker = FileMaker()
    shape = [1, SIDE, width, channels]
    image = maker.tensor(shape, "uint8")
    floats = maker.op("CAST", [image], shape)
    outputs = {
        "probabilities": floats,
        "edges": maker.op("NEG", [floats], shape),
        "reconstruction": maker.op("ABS", [floats], shape),
    }
    return maker.write(path, "serve", {"image": image}, outputs)
