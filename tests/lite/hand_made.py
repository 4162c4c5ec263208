"""Small TFLite files made by hand, op by op, without TensorFlow."""

import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

LENGTH, SIDE = 12, 8
_NUMPY = {"int4": "uint8", "int2": "uint8", "uint4": "uint8"}  # packed by the caller


class FileMaker:
    """Collects the tensors and ops of a file with one signature.

    Attributes:
        model: The object tree, for what has no method here.
    """

    def __init__(self):
        self.model, self._graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.description = 3, b"made by hand"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes, self.model.metadata = [], []
        self.model.subgraphs = [self._graph]
        self._graph.tensors, self._graph.operators = [], []

    def tensor(self, shape, dtype="float32", value=None, scales=None, signature=None):
        """Adds a tensor and returns its index.

        `scales` may be `schema.BlockwiseQuantizationT`; `signature` is its shape with
        -1 for sizes that are not fixed.
        """
        tensor = schema.TensorT()
        tensor.shape, tensor.buffer = shape, 0
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.name = b"tensor %d" % len(self._graph.tensors)
        tensor.shapeSignature = signature
        if scales is not None:
            tensor.quantization = _quantization(scales)
        if value is not None:
            self.model.buffers.append(schema.BufferT())
            self.model.buffers[-1].data = (
                np.array(value, _NUMPY.get(dtype, dtype)).reshape(-1).view("uint8")
            )
            tensor.buffer = len(self.model.buffers) - 1
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, *values):
        return self.tensor([len(values)], "int32", values)

    def op(
        self, name, inputs, shape, dtype="float32", options=None, version=1, **others
    ):
        """Adds an op and returns the index of its output.

        A name that is no builtin is that of a custom op; `others` are for `tensor`.
        """
        code, op = schema.OperatorCodeT(), schema.OperatorT()
        custom = schema.BuiltinOperator.CUSTOM
        code.builtinCode = getattr(schema.BuiltinOperator, name, custom)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        if code.builtinCode == custom:
            code.customCode = name.encode()
        self.model.operatorCodes.append(code)
        op.opcodeIndex = len(self.model.operatorCodes) - 1
        output = self.tensor(shape, dtype, **others)
        op.inputs, op.outputs = inputs, [output]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            if hasattr(schema.BuiltinOptions, kind):
                op.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
                op.builtinOptions = options
            else:
                op.builtinOptions2Type = getattr(schema.BuiltinOptions2, kind)
                op.builtinOptions2 = options
        self._graph.operators.append(op)
        return output

    def subgraph(self, inputs, outputs):
        """Ends a subgraph and begins another; returns the index of the new one."""
        self._graph.inputs, self._graph.outputs = inputs, outputs
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self.model.subgraphs.append(self._graph)
        return len(self.model.subgraphs) - 1

    def write(self, path, signature, inputs, outputs):
        if self._graph is self.model.subgraphs[0]:
            self._graph.inputs = list(inputs.values())
            self._graph.outputs = list(outputs.values())
        definition = schema.SignatureDefT()
        definition.signatureKey, definition.subgraphIndex = signature.encode(), 0
        definition.inputs, definition.outputs = _ends(inputs), _ends(outputs)
        self.model.signatureDefs = [definition]
        builder = flatbuffers.Builder()
        builder.Finish(self.model.Pack(builder), b"TFL3")
        path = pathlib.Path(path)
        path.write_bytes(builder.Output())
        return path


def _quantization(scales):
    quantization = schema.QuantizationParametersT()
    if isinstance(scales, schema.BlockwiseQuantizationT):
        quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
        quantization.details = scales
    else:
        quantization.scale = np.array(scales, "float32").ravel()
        quantization.zeroPoint = [0] * len(quantization.scale)
    return quantization


def _ends(tensors):
    ends = []
    for name, index in tensors.items():
        ends.append(schema.TensorMapT())
        ends[-1].name, ends[-1].tensorIndex = name.encode(), index
    return ends


def translator(path, prefix_length=0):
    """Its two beams both say what went in; the scores are the sums of the tokens."""
    maker = FileMaker()
    source = maker.tensor([1, LENGTH], "int32")
    inputs = {"source": source}
    if prefix_length:
        inputs["prefix"] = maker.tensor([1, prefix_length], "int32")
    beams = maker.op(
        "RESHAPE", [source, maker.constant(1, 1, LENGTH)], [1, 1, LENGTH], "int32"
    )
    tokens = maker.op("TILE", [beams, maker.constant(1, 2, 1)], [1, 2, LENGTH], "int32")
    floats = maker.op("CAST", [tokens], [1, 2, LENGTH])
    scores = maker.op("SUM", [floats, maker.constant(2)], [1, 2])
    outputs = {"tokens": tokens, "scores": scores}
    return maker.write(path, "beam", inputs, outputs)


def captioner(path, channels=3):
    """Both captions are the numbers in the first row of pixels; scores their sums."""
    maker = FileMaker()
    image = maker.tensor([1, SIDE, SIDE, channels], "uint8")
    numbers = maker.op("CAST", [image], [1, SIDE, SIDE, channels], "int32")
    begin, size = maker.constant(0, 0, 0, 0), maker.constant(1, 1, SIDE, 1)
    row = maker.op("SLICE", [numbers, begin, size], [1, 1, SIDE, 1], "int32")
    beam = maker.op("RESHAPE", [row, maker.constant(1, 1, SIDE)], [1, 1, SIDE], "int32")
    tokens = maker.op("TILE", [beam, maker.constant(1, 2, 1)], [1, 2, SIDE], "int32")
    floats = maker.op("CAST", [tokens], [1, 2, SIDE])
    scores = maker.op("SUM", [floats, maker.constant(2)], [1, 2])
    outputs = {"tokens": tokens, "scores": scores}
    return maker.write(path, "beam", {"image": image}, outputs)


def generator(path):
    """It returns the prompt, each token raised by the seed."""
    maker = FileMaker()
    prompt, seed = maker.tensor([1, LENGTH], "int32"), maker.tensor([1], "int32")
    options = schema.AddOptionsT()
    tokens = maker.op("ADD", [prompt, seed], [1, LENGTH], "int32", options)
    inputs = {"prompt": prompt, "seed": seed}
    return maker.write(path, "generate", inputs, {"tokens": tokens})


def text_classifier(path, attention=False):
    """The probabilities are the first tokens, the attention all of them."""
    maker = FileMaker()
    tokens = maker.tensor([1, LENGTH], "int32")
    first = [tokens, maker.constant(0, 0), maker.constant(1, 2)]
    first = maker.op("SLICE", first, [1, 2], "int32")
    outputs = {"probabilities": maker.op("CAST", [first], [1, 2])}
    if attention:
        outputs["attention"] = maker.op("CAST", [tokens], [1, LENGTH])
    return maker.write(path, "serve", {"tokens": tokens}, outputs)


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


def counter(path):
    """A state that rises by `rate`, and its absolute value `y`."""
    maker = FileMaker()
    inputs = {"rate": maker.tensor([1]), "state": maker.tensor([1])}
    options = schema.AddOptionsT()
    state = maker.op("ADD", list(inputs.values()), [1], options=options)
    outputs = {"state": state, "y": maker.op("ABS", [state], [1])}
    return maker.write(path, "step", inputs, outputs)


def forecaster(path, others=()):
    """The forecast is the history, three rows of two columns, raised by the others."""
    maker = FileMaker()
    shape = [1, 3, 2]
    inputs = {"history": maker.tensor(shape)}
    forecast = maker.op("ABS", [inputs["history"]], shape)
    for name in others:
        inputs[name] = maker.tensor([1, 1], "int32")
        raised = maker.op("CAST", [inputs[name]], [1, 1])
        options = schema.AddOptionsT()
        forecast = maker.op("ADD", [forecast, raised], shape, options=options)
    return maker.write(path, "serve", inputs, {"forecast": forecast})
