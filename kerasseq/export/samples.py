"""The inputs on which the exported files are compared and timed."""

import numpy as np

from kerasseq import lite

_NUM_RANDOM_SAMPLES = 3


def random_samples(specs, seed=0):
    """Makes seeded random inputs: normal floats, and the integers 1 and 2.

    Args:
        specs: `{name: (shape, dtype name)}`.
        seed: Seed of the generator.

    Returns:
        A list of `{name: array}`.
    """
    generator = np.random.default_rng(seed)
    return [
        {name: _random(generator, *spec) for name, spec in specs.items()}
        for _ in range(_NUM_RANDOM_SAMPLES)
    ]


def checked(signatures, samples):
    """Checks given samples against the signatures, or makes random ones.

    Args:
        signatures: `{name: Signature}`.
        samples: `{signature name: [{input name: array}]}`, or `None`.

    Returns:
        `{signature name: [{input name: array}]}` with the right dtypes.

    Raises:
        ValueError: If a signature is unknown, a list empty, or an input does not fit.
    """
    if samples is None:
        return {name: random_samples(s.specs) for name, s in signatures.items()}
    unknown = sorted(set(samples) - set(signatures))
    if unknown or not samples:
        raise ValueError(
            f"`samples` must be `None` or name signatures of {list(signatures)}. "
            f"Received: samples for {sorted(samples)}"
        )
    empty = [name for name, cases in samples.items() if not len(cases)]
    if empty:
        raise ValueError(
            "`samples` must hold at least one dict of arrays for each signature it "
            f"names; leave a signature out to skip it. Received: none for {empty}"
        )
    return {
        name: [
            lite.conform(signatures[name].specs, case, f"signature '{name}'")
            for case in cases
        ]
        for name, cases in samples.items()
    }


def _random(generator, shape, dtype):
    if dtype == "bool":
        return generator.integers(0, 2, shape).astype(bool)
    if np.issubdtype(np.dtype(dtype), np.integer):
        return generator.integers(1, 3, shape).astype(dtype)
    return generator.standard_normal(shape).astype(dtype)
