"""What all files of one export are compared and measured with."""

import dataclasses
from typing import Any

from kerasseq.export import calibration_inputs, parity
from kerasseq.export import samples as samples_lib

_MAX_SAMPLES = 20  # out of arrays or a pipeline


@dataclasses.dataclass
class Settings:
    """What all files of one export are compared and measured with.

    Attributes:
        samples: `{signature name: [{input name: array}]}` to compare on.
        timed: The same for every signature, to measure latency with.
        main_signature: The signature whose latency is reported as a file's.
        tolerance: Largest allowed difference of float outputs, relative to their size
            where that is above 1.
        min_token_agreement: Smallest allowed fraction of samples whose integer outputs
            are all identical.
        time_limit: Seconds that a child process may take; `None` for any.
    """

    samples: samples_lib.Samples
    timed: samples_lib.Samples
    main_signature: str
    tolerance: float = 1e-4
    min_token_agreement: float = 1.0
    time_limit: float | None = None

    def check(self, figures: parity.Figures, what: str) -> None:
        """Raises `ValueError` if figures of `parity.compare` are out of bounds."""
        parity.check(figures, self.tolerance, self.min_token_agreement, what)


def make(
    signatures: dict,
    samples: Any = None,
    main_signature: str | None = None,
    representative: samples_lib.Samples | None = None,
    **limits: Any,
) -> Settings:
    """Checks samples and the name of a signature against the signatures.

    Args:
        signatures: `{name: signatures.Signature}`.
        samples: As in `calibration_inputs.from_data`, or `None` for random ones.
        main_signature: Name of a signature; `None` for `serve`, or else the first.
        representative: What is compared on without `samples`, in the form of
            `Settings.samples`.
        **limits: The other attributes of `Settings`.

    Returns:
        A `Settings`.

    Raises:
        ValueError: If a sample does not fit, or a signature is unknown.
    """
    main_signature = _checked_name(list(signatures), main_signature)
    if samples is not None:
        samples = calibration_inputs.from_data(
            signatures, samples, "samples", _MAX_SAMPLES
        )
    elif representative:
        samples = {k: rows[:_MAX_SAMPLES] for k, rows in representative.items()}
    samples = samples_lib.checked(signatures, samples)
    timed = samples_lib.for_all(signatures, samples)
    return Settings(samples, timed, main_signature, **limits)


def _checked_name(names, main_signature):
    if main_signature is None:
        return "serve" if "serve" in names else names[0]
    if main_signature not in names:
        raise ValueError(
            f"`main_signature` must be one of {names}. "
            f"Received: main_signature={main_signature!r}"
        )
    return main_signature
