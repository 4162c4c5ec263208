"""P2 for state-space layers: outputs and gradients equal NumPy."""

import catalog
import catalog_state_space
import numpy as np
import pytest
import reference_state_space as reference

from tests.contract import slopes


def two_blocks(block, first, **second):
    """A block of the reference after another one, with options of its own."""

    def run(inputs, w):
        x, *_ = block(inputs["x"], w, "first", **first)
        parts = block(x, w, "second", **first | second)
        return np.concatenate([part.reshape(len(x), -1) for part in parts], -1)

    return run


HEADS = {"head_dim": catalog_state_space.MAMBA2["head_dim"]}
REFERENCES = {
    "Mamba": two_blocks(reference.mamba, {}),
    "Mamba-zoh": two_blocks(reference.mamba, {}, zoh=True),
    "Mamba2": two_blocks(reference.mamba2, HEADS),
    "Mamba2-groups": two_blocks(reference.mamba2, HEADS, groups=2),
    "S4D": two_blocks(reference.s4d, {}),
    "S4D-bilinear": two_blocks(reference.s4d, {}, bilinear=True, gated=False),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
