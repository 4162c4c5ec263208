"""Compares two engines on the same inputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasseq.export import samples as samples_lib

Figures = dict[str, dict[str, Any]]  # by signature name

_INFINITE = (
    " (`inf` stands for a NaN, an infinity on one side only, or another shape; pass "
    "`samples` on which the model returns finite numbers.)"
)

_HUGE = 1e30  # JSON has no infinity


def compare(
    reference: samples_lib.Engine,
    candidate: samples_lib.Engine,
    samples: samples_lib.Samples,
) -> Figures:
    """Runs both engines on all samples and measures how far apart their outputs are.

    Args:
        reference: A function of a signature's name and a dict of arrays that returns
            a dict of arrays.
        candidate: The same, for the engine to be checked.
        samples: `{signature name: [{input name: array}]}`.

    Returns:
        `{signature name: {"samples", "max_abs_diff", "mean_abs_diff",
        "token_agreement", "spread"}}`. The differences cover the float outputs, equal
        infinities counting as equal; `token_agreement` is the fraction of samples
        with all integer outputs identical. Where the integers of a sample differ its
        floats belong to other tokens and are not compared. `spread` is the largest
        difference of the reference's outputs for the first sample and for another. A
        figure without any output to measure is `None`.
    """
    return {
        name: _compared(reference, candidate, name, given)
        for name, given in samples.items()
    }


def check(
    figures: Figures, tolerance: float, min_token_agreement: float, what: str
) -> None:
    """Raises if figures of `compare` are out of bounds.

    Args:
        figures: What `compare` returned.
        tolerance: Largest allowed `max_abs_diff`.
        min_token_agreement: Smallest allowed `token_agreement`.
        what: How the message names the file.

    Raises:
        ValueError: With the figures of the first signature out of bounds.
    """
    for name, figure in figures.items():
        diff, agreement = figure["max_abs_diff"], figure["token_agreement"]
        if agreement is not None and not agreement >= min_token_agreement:
            raise ValueError(
                f"{what} does not return the model's tokens in signature '{name}': "
                f"they agree on {agreement:.4f} of {figure['samples']} samples, wanted "
                f"min_token_agreement={min_token_agreement}. Nothing was written."
            )
        if diff is not None and not diff <= tolerance:
            raise ValueError(
                f"{what} does not compute what the model computes in signature "
                f"'{name}': the largest difference over {figure['samples']} samples is "
                f"{diff:.3g}, wanted tolerance={tolerance}. Nothing was written."
                f"{_INFINITE if diff == float('inf') else ''}"
            )


def comparison_warnings(figures: Figures, tolerance: float) -> list[str]:
    """Says where a comparison cannot tell a right file from a wrong one.

    Args:
        figures: What `compare` returned.
        tolerance: As of `check`.

    Returns:
        A list of sentences, one for each signature whose outputs are nearly the same
        for all samples, so that any file with such outputs would have passed.
    """
    return [
        f"The outputs of signature '{name}' differ by {figure['spread']:.1e} at most "
        "over the inputs that were compared, so the comparison proves little: pass "
        "real inputs as samples."
        for name, figure in figures.items()
        if figure["spread"] is not None and figure["spread"] <= tolerance
    ]


def largest(
    figures: Mapping[str, Mapping[str, Any]], key: str = "max_abs_diff"
) -> float:
    """The largest difference over all signatures, 0.0 if there is none.

    Args:
        figures: What `compare` returned.
        key: `"max_abs_diff"` or `"mean_abs_diff"`.

    Returns:
        A float.
    """
    diffs = [figure[key] for figure in figures.values()]
    return max((diff for diff in diffs if diff is not None), default=0.0)


def _compared(reference, candidate, name, samples):
    pairs, first, spreads = [], None, []
    for inputs in samples:
        wanted = reference(name, inputs)
        pairs.append(_distances(wanted, candidate(name, inputs)))
        if first is None:
            first = wanted
        else:
            pairs_of_outputs = ((first[key], wanted[key]) for key in first)
            spreads += [_distance(*p).max(initial=0.0) for p in pairs_of_outputs]
    spread = float(min(max(spreads), _HUGE)) if spreads else None
    return {**_summary(pairs), "spread": spread}


def _distances(wanted, received):
    """`(distances of floats, whether integers agree)`, `None` where none are."""
    floats = [k for k, v in wanted.items() if np.issubdtype(v.dtype, np.floating)]
    others = [k for k in wanted if k not in floats]
    agree = all(np.array_equal(wanted[k], received[k]) for k in others)
    distances = [_distance(wanted[k], received[k]).ravel() for k in floats]
    return (
        np.concatenate(distances) if distances and agree else None,
        agree if others else None,
    )


def _distance(wanted, received):
    if wanted.shape != received.shape:
        return np.array([np.inf])
    equal = wanted == received  # also where both are the same infinity
    with np.errstate(invalid="ignore"):
        distance = np.abs(wanted.astype("float64") - received.astype("float64"))
    # NaN on either side counts as infinitely far.
    return np.where(equal, 0.0, np.where(np.isnan(distance), np.inf, distance))


def _summary(pairs):
    distances = [distance for distance, _ in pairs if distance is not None]
    agreements = [agree for _, agree in pairs if agree is not None]
    distances = np.concatenate(distances) if distances else None
    return {
        "samples": len(pairs),
        "max_abs_diff": _figure(np.max, distances),
        "mean_abs_diff": _figure(np.mean, distances),
        "token_agreement": float(np.mean(agreements)) if agreements else None,
    }


def _figure(function, distances):
    if distances is None:
        return None
    return float(function(distances)) if distances.size else 0.0
