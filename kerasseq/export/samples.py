"""The inputs on which the exported files are compared and timed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from kerasseq import lite

Arrays = dict[str, np.ndarray]
Specs = Mapping[str, tuple[tuple[int, ...], str]]
Samples = dict[str, list[Arrays]]  # by signature name
Engine = Callable[[str, Arrays], Arrays]  # of a signature's name and its inputs

_NUM_RANDOM_SAMPLES = 3


class HasSpecs(Protocol):
    """What is asked of a signature here."""

    specs: Specs


def random_samples(specs: Specs, seed: int = 0) -> list[Arrays]:
    """Makes seeded random inputs: normal floats, pixels, and the integers 1 and 2.

    `uint8` stands for pixels, 0 to 255; other integers for token ids; those of the
    last sample end with zeros, as padded text does.

    Args:
        specs: `{name: (shape, dtype name)}`.
        seed: Seed of the generator.

    Returns:
        A list of `{name: array}`.
    """
    generator = np.random.default_rng(seed)
    samples = [
        {name: _random(generator, *spec) for name, spec in specs.items()}
        for _ in range(_NUM_RANDOM_SAMPLES)
    ]
    for array in samples[-1].values():
        if array.ndim > 1 and array.dtype.kind == "i":
            array[..., array.shape[-1] - array.shape[-1] // 4 :] = 0
    return samples


def for_all(signatures: Mapping[str, HasSpecs], samples: Samples) -> Samples:
    """Completes samples with random ones for the signatures that have none.

    Args:
        signatures: `{name: Signature}`.
        samples: `{signature name: [{input name: array}]}`.

    Returns:
        `{signature name: [{input name: array}]}` for every signature.
    """
    made = {name: random_samples(s.specs) for name, s in signatures.items()}
    return {**made, **samples}


def checked(
    signatures: Mapping[str, HasSpecs],
    samples: Mapping[str, Iterable[Any]] | None,
    argument: str = "samples",
) -> Samples:
    """Checks given samples against the signatures, or makes random ones.

    Args:
        signatures: `{name: Signature}`.
        samples: `{signature name: [{input name: array}]}`, or `None`.
        argument: How error messages name the samples.

    Returns:
        `{signature name: [{input name: array}]}` with the right dtypes.

    Raises:
        ValueError: If a signature is unknown, a list empty, or an input does not fit.
    """
    if samples is None:
        return for_all(signatures, {})
    unknown = sorted(set(samples) - set(signatures))
    if unknown or not samples:
        raise ValueError(
            f"`{argument}` must be `None` or name signatures of {list(signatures)}. "
            f"Received: {argument} for {sorted(samples)}"
        )
    samples = {name: list(given) for name, given in samples.items()}
    empty = [name for name, given in samples.items() if not given]
    if empty:
        raise ValueError(
            f"`{argument}` must hold at least one dict of arrays for each signature it "
            f"names; leave a signature out to skip it. Received: none for {empty}"
        )
    return {
        name: [
            lite.conform(signatures[name].specs, sample, f"signature '{name}'")
            for sample in given
        ]
        for name, given in samples.items()
    }


def _random(generator, shape, dtype):
    if dtype == "bool":
        return generator.integers(0, 2, shape).astype(bool)
    if dtype == "uint8":
        return generator.integers(0, 256, shape).astype(dtype)
    if np.issubdtype(np.dtype(dtype), np.integer):
        return generator.integers(1, 3, shape).astype(dtype)
    return generator.standard_normal(shape).astype(dtype)
