"""What a `Runner` makes of crafted files, of threads, and of files that change."""

import threading

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from kerasseq import lite
from kerasseq.lite import audit
from kerasseq.utils import machine
from tests.export.rewriting import rewrite
from tests.lite import hand_made

IMAGE = np.full((1, 8, 8, 3), 3, "uint8")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return hand_made.classifier(tmp_path_factory.mktemp("hostile") / "model.tflite")


def crafted(path, tmp_path, change):
    """`change` gets the first subgraph, the CAST, the MEAN and the signature."""

    def apply(model):
        graph = model.subgraphs[0]
        change(graph, *graph.operators, model.signatureDefs[0])

    return rewrite(path, tmp_path / "crafted.tflite", apply)


def put(owner, name, *place_and_value):
    """As a function of a lambda: `owner.name[place] = value`."""
    *place, value = place_and_value
    if place:
        values = list(getattr(owner, name))
        values[place[0]], value = value, values
    setattr(owner, name, value)


CASES = {
    "input -1": (lambda g, c, m, s: put(g, "inputs", [-1]), "input index -1"),
    "input 99": (lambda g, c, m, s: put(g, "inputs", [99]), "input index 99"),
    "output -1": (lambda g, c, m, s: put(g, "outputs", [-1]), "output index -1"),
    "input constant": (lambda g, c, m, s: put(g, "inputs", [2]), "is a constant"),
    "signature": (lambda g, c, m, s: put(s.inputs[0], "tensorIndex", 1), "tensor 1 of"),
    "no signature": (lambda g, c, m, s: put(s, "subgraphIndex", 7), "index 7"),
    "op lacks": (lambda g, c, m, s: put(m, "inputs", 0, -1), "lacks its input 0"),
    "op reads late": (lambda g, c, m, s: put(c, "inputs", [3]), "a later op writes"),
    "op writes input": (lambda g, c, m, s: put(c, "outputs", [0]), "writes to what"),
    "op writes twice": (lambda g, c, m, s: put(m, "outputs", [1]), "writes to what"),
    "op code": (lambda g, c, m, s: put(m, "opcodeIndex", 5), "op code index 5"),
    "buffer": (lambda g, c, m, s: put(g.tensors[1], "buffer", 50), "buffer index 50"),
    "shape": (
        lambda g, c, m, s: put(g.tensors[1], "shape", [2**30, 2**30]),
        "has the shape",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_crafted(path, tmp_path, name):
    change, message = CASES[name]
    with pytest.raises(ValueError, match=f"damaged or truncated.*{message}"):
        lite.Runner(crafted(path, tmp_path, change))


@pytest.mark.parametrize(
    "scale, point, message",
    [(0, 0, "scale 0"), (np.nan, 0, "scale nan"), (0.1, 128, "zero point 128")],
)
def test_quantization(tmp_path, scale, point, message):
    maker = hand_made.FileMaker()
    x = maker.tensor([4])
    q = maker.op("QUANTIZE", [x], [4], "int8", scales=[scale])
    maker.model.subgraphs[0].tensors[q].quantization.zeroPoint = [point]
    y = maker.op("DEQUANTIZE", [q], [4])
    path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
    with pytest.raises(ValueError, match=message):
        lite.Runner(path)


def split(maker, x, number):
    options = schema.SplitOptionsT()
    options.numSplits = number
    return maker.op("SPLIT", [maker.constant(0), x], [2], options=options)


FORMS = {
    "outputs": (lambda m, x: split(m, x, 2), "1 outputs, not as it says"),
    "options": (lambda m, x: m.op("SPLIT", [x, x], [2]), "1 outputs, not as it says"),
    "inputs": (lambda m, x: m.op("STRIDED_SLICE", [x, x], [2]), "has 2 inputs"),
    "scales": (lambda m, x: m.op("SUB", [x, x], [2], "int8"), "computes with scales"),
    "types": (lambda m, x: m.op("MEAN", [x, x], [2], "int32"), "returns another type"),
    "variables": (lambda m, x: m.op("ASSIGN_VARIABLE", [x, x], [2]), "has none"),
}


@pytest.mark.parametrize("name", FORMS)
def test_ops(tmp_path, name):
    make, message = FORMS[name]
    maker = hand_made.FileMaker()
    x = maker.tensor([2])
    y = make(maker, x)
    path = maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
    with pytest.raises(ValueError, match=message):
        lite.Runner(path)


def test_calls_without_end(tmp_path):
    options = schema.WhileOptionsT()
    options.condSubgraphIndex, options.bodySubgraphIndex = 1, 0
    maker = hand_made.FileMaker()
    x = maker.tensor([1], "bool")
    y = maker.op("WHILE", [x], [1], "bool", options)
    maker.subgraph([x], [y])
    x = maker.tensor([1], "bool")
    maker.model.subgraphs[1].inputs = maker.model.subgraphs[1].outputs = [x]
    path = maker.write(tmp_path / "a.tflite", "serve", {"x": 0}, {"y": 1})
    with pytest.raises(ValueError, match="a subgraph calls itself"):
        lite.Runner(path)


class SharingBuilder(flatbuffers.Builder):
    """Writes equal texts once."""

    def __init__(self):
        super().__init__()
        self.places = {}

    def CreateString(self, text, *arguments):
        if text not in self.places:
            self.places[text] = super().CreateString(text, *arguments)
        return self.places[text]


def test_shared_names(path, tmp_path):
    """One name of 200,000 characters for 2,000 tensors is 400 MB when it is read."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    model.subgraphs[0].tensors[0].name = b"x" * 200_000
    model.subgraphs[0].tensors += [model.subgraphs[0].tensors[0]] * 2000
    builder = SharingBuilder()
    builder.Finish(model.Pack(builder), b"TFL3")
    small = tmp_path / "small.tflite"
    small.write_bytes(builder.Output())
    assert small.stat().st_size < 10**6
    for read in (lite.Runner, audit.audit_file):
        with pytest.raises(ValueError, match="longer than the file"):
            read(small)


def test_threads(path):
    runner = lite.Runner(path)
    wrong = []

    def work(value):
        image = np.full((1, 8, 8, 3), value, "uint8")
        for _ in range(200):
            found = runner.run(image=image)["probabilities"]
            wrong.extend(found[found != value])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_file_changes_while_it_is_open(path, tmp_path):
    copy = tmp_path / "copy.tflite"
    copy.write_bytes(path.read_bytes())
    runner = lite.Runner(copy)
    copy.write_bytes(b"")
    assert runner.run(image=IMAGE)["probabilities"].tolist() == [[3, 3, 3]]


@pytest.mark.parametrize("threads", [100_000, 257, "2", 1.5, None, -1])
def test_threads_argument(path, threads):
    with pytest.raises(ValueError, match="`num_threads` must be.*Received"):
        lite.Runner(path, num_threads=threads)
    assert lite.Runner(path, num_threads=np.int64(2))


@pytest.mark.parametrize("wrong", [None, 5, [], object(), "a\0b", "/dev/null"])
def test_path_argument(wrong):
    with pytest.raises(ValueError, match="Received: path="):
        lite.Runner(wrong)
    with pytest.raises(ValueError, match="Received"):
        lite.ImageClassifier(wrong)


@pytest.mark.parametrize("wrong", [None, object(), [[1], [1, 2]], "x", {}, 1j])
def test_inputs(path, wrong):
    with pytest.raises(ValueError, match="Input 'image' must"):
        lite.Runner(path).run(image=wrong)


def test_what_the_runtime_refuses(tmp_path):
    maker = hand_made.FileMaker()
    x = maker.tensor([1], "int32")
    table = maker.tensor([4], value=[1, 2, 3, 4])
    y = maker.op("GATHER", [table, x], [1], options=schema.GatherOptionsT())
    runner = lite.Runner(
        maker.write(tmp_path / "a.tflite", "serve", {"x": x}, {"y": y})
    )
    with pytest.raises(ValueError, match="does not run 'serve'.*Received.*'x'"):
        runner.run(x=[9])
    assert runner.run(x=[3])["y"] == [4]


def test_too_large_for_the_memory(path, monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 100)
    with pytest.raises(ValueError, match="larger than the memory"):
        lite.Runner(path)


def test_steps(tmp_path):
    runner = lite.Runner(hand_made.counter(tmp_path / "a.tflite"))
    step = runner.stateful(rate=[2.0])
    assert step()["y"] == [2] and step()["y"] == [4]
    for name in ("rate", "state"):
        with pytest.raises(ValueError, match=f"takes neither states.*{name}"):
            step(**{name: [1.0]})
    step.states = {"state": np.zeros(1, "float32")}
    workers = [threading.Thread(target=step) for _ in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert step.states["state"] == [40]


@pytest.mark.parametrize(
    "kind, make",
    [
        (lite.Translator, hand_made.translator),
        (lite.TextGenerator, hand_made.generator),
        (lite.ImageClassifier, hand_made.classifier),
        (lite.ImageSegmenter, hand_made.segmenter),
    ],
)
@pytest.mark.parametrize("shape", [[], [12], [1, -1], [-1] * 4])
def test_tasks_of_other_forms(tmp_path, kind, make, shape):
    def change(model):
        for graph in model.subgraphs:
            place = graph.inputs[0]
            graph.tensors[place].shape = [abs(size) for size in shape]
            graph.tensors[place].shapeSignature = shape

    path = rewrite(make(tmp_path / "a.tflite"), tmp_path / "b.tflite", change)
    with pytest.raises(ValueError, match="it has no signature|does not load"):
        kind(path)
