"""Random models through the exporter: equal, or refused by name; nothing lost."""

import collections
import json
import re

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from kerasseq import export, lite
from kerasseq.export import loop_strategies, serve_signature
from tests.export import random_models

_LONG = 500
# A random model may end a mask where it likes.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a ma")


def options(draw, model):
    """Draws arguments of `export_model`."""
    names = st.sampled_from(["float16", "dynamic", "int8"])
    chosen = draw(st.lists(names, max_size=1, unique=True))
    data = random_models.rows(model, 20, seed=1)
    return {
        "loop_strategy": draw(st.sampled_from(loop_strategies.LOOP_STRATEGIES)),
        "quantize": [export.Int8(data) if x == "int8" else x for x in chosen],
        "samples": draw(st.sampled_from([None, data])),
    }


def outcome(model, arguments, folder):
    """`"equal"`, or why the model is refused; anything else is an error."""
    folder.mkdir()
    earlier = folder / "out" / "model.tflite"
    earlier.parent.mkdir()
    earlier.write_bytes(b"of an earlier export")
    try:
        report = export.export_model(model, folder / "out", **arguments)
    except ValueError as error:
        assert earlier.read_bytes() == b"of an earlier export"
        assert [path.name for path in (folder / "out").iterdir()] == [earlier.name]
        assert [path.name for path in folder.iterdir()] == ["out"]
        return str(error)
    names = {entry["file"] for entry in report["artifacts"]}
    written = {path.name for path in (folder / "out").iterdir()}
    assert written == names | {"report.json", "report.html"}
    assert json.loads((folder / "out" / "report.json").read_text()) == report
    _check_unseen(model, lite.Runner(earlier))
    return "equal"


def _check_unseen(model, runner):
    """Compares the file with the model on inputs that the export never saw."""
    unseen = random_models.rows(model, 4, seed=2)
    wanted = model.predict(serve_signature.call_argument(model, unseen), verbose=0)
    wanted = wanted if isinstance(wanted, list) else [wanted]
    names = list(runner.signatures["serve"]["outputs"])
    for row in range(4):
        received = runner.run(**{k: x[row : row + 1] for k, x in unseen.items()})
        arrays = [received[name] for name in model.output_names if name in received]
        assert len(arrays) == len(wanted) == len(names)
        for one, other in zip(arrays, wanted, strict=True):
            size = max(1.0, np.median(np.abs(other[row : row + 1])))
            off = np.abs(one - other[row : row + 1]) / np.maximum(size, np.abs(one))
            assert off.max(initial=0.0) < 1e-3


def run(tmp_path, examples, seed):
    """Counts the outcomes of so many random exports."""
    found = collections.Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.data())
    def export_one(data):
        model = random_models.build(data.draw)
        arguments = options(data.draw, model)
        folder = tmp_path / str(sum(found.values()))
        found[outcome(model, arguments, folder)] += 1

    export_one()
    return found


def reason(message):
    """A message without what is of this model alone."""
    return re.sub(r"'[^']*'|\d[\d.e-]*", "…", message.split("Received:")[0])[:110]


def test_a_few(tmp_path):
    found = run(tmp_path, 3, seed=1)
    assert sum(found.values()) >= 3 and found["equal"] >= 1


@pytest.mark.slow
def test_many(tmp_path, capsys):
    found = run(tmp_path, _LONG, seed=0)
    equal = found.pop("equal")
    refused = collections.Counter()
    for message, count in found.items():
        refused[reason(message)] += count
    with capsys.disabled():
        print(f"\n{equal} equal, {refused.total()} refused, 0 failed")
        for message, count in refused.most_common():
            print(f"{count:5} {message}")
    assert equal > 0.7 * _LONG
