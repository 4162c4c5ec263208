"""P2 for state-space layers: outputs and gradients equal NumPy."""

import functools

import catalog
import catalog_state_space
import numpy as np
import pytest
import reference_rwkv
import reference_state_space as reference

from tests.contract import slopes


def flat(*parts):
    return np.concatenate([part.reshape(len(part), -1) for part in parts], -1)


def two_blocks(block, first, **second):
    """A block of the reference after another one, with options of its own."""

    def run(inputs, w):
        x, *_ = block(inputs["x"], w, "first", **first)
        parts = block(x, w, "second", **first | second)
        return flat(*parts)

    return run


def rwkv4(inputs, w):
    x = inputs["x"]
    outputs, *_ = reference_rwkv.rwkv4(x, w, "first")
    parts = reference_rwkv.rwkv4(x + outputs, w, "second")
    return flat(*parts)


def rwkv7(inputs, w, head_size):
    x = inputs["x"]
    outputs, value, _ = reference_rwkv.rwkv7(x, w, "first", head_size)
    y, _, states = reference_rwkv.rwkv7(x + outputs, w, "second", head_size, value)
    return flat(y, *states)


def stack_of_mamba(inputs, w):
    x, states = inputs["x"], []
    for index in range(2):
        below = reference.rms_norm(x, w, f"stack/norm_{index}")
        y, *found = reference.mamba(below, w, f"stack/block_{index}")
        x, states = x + y, states + found
    return flat(reference.rms_norm(x, w, "stack/final_norm"), *states)


def stack_of_rwkv7(inputs, w):
    x, states, first = reference_rwkv.norm(inputs["x"], w, "stack/norm_0"), [], None
    for index in range(2):
        place = f"stack/block_{index}"
        y, value, found = reference_rwkv.rwkv7(x, w, place, 2, first)
        x, states, first = x + y, states + found, value
    return flat(reference_rwkv.norm(x, w, "stack/final_norm"), *states)


HEADS = {"head_dim": catalog_state_space.MAMBA2["head_dim"]}
REFERENCES = {
    "Mamba": two_blocks(reference.mamba, {}),
    "Mamba-zoh": two_blocks(reference.mamba, {}, zoh=True),
    "Mamba2": two_blocks(reference.mamba2, HEADS),
    "Mamba2-groups": two_blocks(reference.mamba2, HEADS, groups=2),
    "S4D": two_blocks(reference.s4d, {}),
    "S4D-bilinear": two_blocks(reference.s4d, {}, bilinear=True, gated=False),
    "ResidualStack-mamba": stack_of_mamba,
    "ResidualStack-rwkv7": stack_of_rwkv7,
    "RWKV4": rwkv4,
    "RWKV7": functools.partial(rwkv7, head_size=2),
    "RWKV7-one_head": functools.partial(rwkv7, head_size=4),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
