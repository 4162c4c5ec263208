"""P2 for state-space layers: outputs and gradients equal NumPy."""

import functools

import catalog
import numpy as np
import pytest
import reference_state_space as reference

from tests.contract import slopes


def mamba(inputs, w, **options):
    x, *_ = reference.mamba(inputs["x"], w, "first")
    parts = reference.mamba(x, w, "second", **options)
    return np.concatenate([part.reshape(len(x), -1) for part in parts], -1)


def rwkv4(inputs, w):
    x = inputs["x"]
    outputs, *_ = reference.rwkv4(x, w, "first")
    parts = reference.rwkv4(x + outputs, w, "second")
    return np.concatenate([part.reshape(len(x), -1) for part in parts], -1)


def rwkv7(inputs, w, head_size):
    x = inputs["x"]
    outputs, value, _ = reference.rwkv7(x, w, "first", head_size)
    y, _, states = reference.rwkv7(x + outputs, w, "second", head_size, value)
    return np.concatenate([part.reshape(len(x), -1) for part in (y, *states)], -1)


REFERENCES = {
    "Mamba": mamba,
    "Mamba-zoh": functools.partial(mamba, zoh=True),
    "RWKV4": rwkv4,
    "RWKV7": functools.partial(rwkv7, head_size=2),
    "RWKV7-one_head": functools.partial(rwkv7, head_size=4),
}
ENTRIES = [p for p in catalog.keeping("P2") if p.id in REFERENCES]


@pytest.mark.parametrize("entry", ENTRIES)
def test_equals_numpy(entry):
    slopes.check(entry.model(), entry.inputs(), REFERENCES[entry.id])
