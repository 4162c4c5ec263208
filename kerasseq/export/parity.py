"""Compares two engines on the same inputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasseq.export import samples as samples_lib

Figures = dict[str, dict[str, Any]]  # by signature name

_INFINITE = (
    " (`inf` stands for a NaN or an infinity that the model does not return, or for "
    "another shape.)"
)

_HUGE = 1e30  # JSON has no infinity
_LARGE_ERROR = 0.1
_WORST = {
    "max_abs_diff": max,
    "mean_abs_diff": max,
    "max_scaled_diff": max,
    "relative_error": max,
    "correlation": min,
}


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
        `{signature name: {"samples", "token_agreement", "spread", "outputs",
        "max_abs_diff", "mean_abs_diff", "max_scaled_diff", "relative_error",
        "correlation"}}`.

        `outputs` has the last five for each float output, the signature those of the
        worst. Equal infinities count as equal. `max_scaled_diff` is the largest
        difference relative to the size of the output: of the element, or of half of
        the output's elements, or 1, whichever is largest. `relative_error` is the root
        mean square of the difference divided by the standard deviation of the
        output, `correlation` is Pearson's.

        `token_agreement` is the fraction of samples with all integer outputs
        identical. Where the integers of a sample differ its floats belong to other
        tokens and are not compared. `spread` is the largest difference of the
        reference's outputs for the first sample and for another, relative to their
        size as above. A figure without any output to measure is `None`.

    Raises:
        ValueError: If the reference returns NaN.
    """
    runs = {
        name: [(reference(name, x), candidate(name, x)) for x in given]
        for name, given in samples.items()
    }
    for name, given in runs.items():
        _check_numbers(name, [wanted for wanted, _ in given])
    return {name: _compared(given) for name, given in runs.items()}


def check(
    figures: Figures, tolerance: float, min_token_agreement: float, what: str
) -> None:
    """Raises if figures of `compare` are out of bounds.

    Args:
        figures: What `compare` returned.
        tolerance: Largest allowed `max_scaled_diff`.
        min_token_agreement: Smallest allowed `token_agreement`.
        what: How the message names the file.

    Raises:
        ValueError: With the figures of the first output out of bounds.
    """
    for name, figure in figures.items():
        agreement = figure["token_agreement"]
        if agreement is not None and not agreement >= min_token_agreement:
            raise ValueError(
                f"{what} does not return the model's tokens in signature '{name}': "
                f"they agree on {agreement:.4f} of {figure['samples']} samples, wanted "
                f"min_token_agreement={min_token_agreement}. Nothing was written."
            )
        for output, found in figure["outputs"].items():
            if not found["max_scaled_diff"] <= tolerance:
                raise ValueError(
                    f"{what} does not compute what the model computes in signature "
                    f"'{name}': the largest difference of output '{output}' over "
                    f"{figure['samples']} samples is {found['max_abs_diff']:.3g}, and "
                    f"{found['max_scaled_diff']:.3g} relative to the size of the "
                    f"output, wanted tolerance={tolerance:g}. Nothing was written."
                    f"{_INFINITE if found['max_abs_diff'] == float('inf') else ''}"
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


def error_warnings(figures: Figures, file: str) -> list[str]:
    """Says which outputs of a quantized file are far from the model's.

    Args:
        figures: What `compare` returned.
        file: Name of the file.

    Returns:
        A list of sentences, one for each output whose error is larger than a tenth of
        its standard deviation.
    """
    return [
        f"{file}: output '{output}' of signature '{name}' is off by "
        f"{found['relative_error']:.2f} of its standard deviation (root mean square; "
        f"correlation {found['correlation']:.3f}): check the file on your data before "
        "you ship it."
        for name, figure in figures.items()
        for output, found in figure["outputs"].items()
        if (found["relative_error"] or 0.0) > _LARGE_ERROR
    ]


def worst(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """The worst figures over several signatures or outputs.

    Args:
        figures: What `compare` returned, or its `outputs` of a signature.

    Returns:
        `{"max_abs_diff", "mean_abs_diff", "max_scaled_diff", "relative_error",
        "correlation"}`; `None` where nothing was measured.
    """

    def of(key, choose):
        found = (figure[key] for figure in figures.values())
        return choose((x for x in found if x is not None), default=None)

    return {key: of(key, choose) for key, choose in _WORST.items()}


def _check_numbers(name, wanted):
    for number, outputs in enumerate(wanted):
        for key, values in outputs.items():
            if np.issubdtype(values.dtype, np.floating) and np.isnan(values).any():
                raise ValueError(
                    f"The model returns NaN in output '{key}' of signature '{name}', "
                    "which no file can be compared with. Pass samples on which it "
                    "returns numbers. Nothing was written. Received: NaN for sample "
                    f"{number} of {len(wanted)}"
                )


def _compared(runs):
    agreements = [_tokens_agree(*run) for run in runs]
    comparable = [
        run for run, agree in zip(runs, agreements, strict=True) if agree is not False
    ]
    floats = [k for k, v in runs[0][0].items() if np.issubdtype(v.dtype, np.floating)]
    outputs = {
        key: _figures(*zip(*((w[key], r[key]) for w, r in comparable), strict=True))
        for key in floats
        if comparable
    }
    measured = [agree for agree in agreements if agree is not None]
    return {
        "samples": len(runs),
        "token_agreement": float(np.mean(measured)) if measured else None,
        "spread": _spread([wanted for wanted, _ in runs]),
        **worst(outputs),
        "outputs": outputs,
    }


def _tokens_agree(wanted, received):
    """Whether all integers agree, `None` where there are none."""
    keys = [k for k, v in wanted.items() if not np.issubdtype(v.dtype, np.floating)]
    agree = all(np.array_equal(wanted[k], received[k]) for k in keys)
    return agree if keys else None


def _figures(wanted, received):
    """The figures of one output, from its arrays of all samples."""
    same_shape = all(w.shape == r.shape for w, r in zip(wanted, received, strict=True))
    wanted, received = _flat(wanted), _flat(received)
    if not same_shape:
        received = np.full_like(wanted, np.nan)
    distance = _distance(wanted, received)
    finite = np.isfinite(wanted) & np.isfinite(received)
    return {
        "max_abs_diff": float(distance.max(initial=0.0)),
        "mean_abs_diff": float(distance.mean()) if distance.size else 0.0,
        "max_scaled_diff": float((distance / _size(wanted)).max(initial=0.0)),
        **_statistics(wanted[finite], received[finite]),
    }


def _statistics(wanted, received):
    deviation = wanted.std() if wanted.size else 0.0
    if not deviation:
        return {"relative_error": None, "correlation": None}
    error = np.sqrt(np.mean((wanted - received) ** 2))
    others = received.std()
    centered = np.mean((wanted - wanted.mean()) * (received - received.mean()))
    correlation = centered / (deviation * others) if others else 0.0
    return {
        "relative_error": float(error / deviation),
        "correlation": float(correlation),
    }


def _spread(wanted):
    first, *others = wanted
    distances = []
    for key, values in first.items():
        values = _flat([values])
        size = _size(values)
        for other in others:
            distance = _distance(values, _flat([other[key]])) / size
            distances.append(distance.max(initial=0.0))
    return float(min(max(distances), _HUGE)) if distances else None


def _flat(arrays):
    return np.concatenate([np.ravel(x) for x in arrays]).astype("float64")


def _distance(wanted, received):
    equal = wanted == received  # also where both are the same infinity
    with np.errstate(invalid="ignore"):
        distance = np.abs(wanted - received)
    # NaN on either side counts as infinitely far.
    return np.where(equal, 0.0, np.where(np.isnan(distance), np.inf, distance))


def _size(values):
    """What the difference of each element is relative to."""
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.maximum(sizes, max(1.0, np.median(sizes) if sizes.size else 1.0))
