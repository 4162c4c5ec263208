"""Both libraries learn the same from the same batches."""

import json

import numpy as np
import pytest

from benchmarks import first_epochs


def test_sentences():
    (source, target), labels, sizes = first_epochs._sentences()
    assert source.shape == target.shape == labels.shape
    assert source.shape[1] == first_epochs.LENGTH
    np.testing.assert_array_equal(target[:, 1:], labels[:, :-1])  # one step behind
    assert (target[:, 0] == 1).all()
    assert max(source.max(), labels.max()) == sizes["vocabulary_size"] - 1


@pytest.mark.slow
def test_one_row(tmp_path):
    pytest.importorskip("torch")
    flags = first_epochs.define_flags()
    output = tmp_path / "report.json"
    flags(["first_epochs", "--rows=tiny", "--seeds=0,1", f"--output={output}"])
    first_epochs.main(flags)
    (row,) = json.loads(output.read_text())["rows"]
    ours, other = (row["losses"][name] for name in first_epochs.LIBRARIES)
    assert len(ours) == len(other) == first_epochs.PARTS
    assert row["ours/torch"] == pytest.approx(np.divide(ours, other))
    assert ours[0] == pytest.approx(np.log(10), abs=0.3)
