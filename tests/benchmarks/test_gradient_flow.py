"""Gradients over a few steps: known cases, and the picture."""

import numpy as np
import pytest

from benchmarks import gradient_flow


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(gradient_flow, "LENGTH", 12)


def test_a_linear_identity_keeps_the_gradient_and_a_smaller_one_loses_it():
    options = {"activation": "linear", "recurrent_initializer": "identity"}
    norms = gradient_flow.relative_norms("SimpleRNN", options, 4, draws=2)
    np.testing.assert_allclose(norms, np.ones(12), rtol=1e-9)

    def half(shape, dtype=None):
        return 0.5 * np.eye(*shape)

    options["recurrent_initializer"] = half
    norms = gradient_flow.relative_norms("SimpleRNN", options, 4, draws=2)
    np.testing.assert_allclose(norms, 0.5 ** np.arange(12), rtol=1e-9)


def test_the_picture_is_small(tmp_path):
    panels = {
        title: {label: np.ones(12) for label in lines}
        for title, lines in gradient_flow.PANELS.items()
    }
    gradient_flow.draw(tmp_path / "flow.png", panels)
    content = (tmp_path / "flow.png").read_bytes()
    assert content[:4] == b"\x89PNG" and len(content) < 80_000
