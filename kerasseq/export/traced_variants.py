"""The variants of a model: its signatures traced with one way of writing loops each."""

import dataclasses

from kerasseq import ops
from kerasseq.convert import cloning
from kerasseq.export import calibration_inputs, saved_model
from kerasseq.export import samples as samples_lib
from kerasseq.export import signatures as signatures_lib

_MOST_SAMPLES = 20  # of arrays or a pipeline


@dataclasses.dataclass
class Settings:
    """What all files of an export are checked and measured with.

    Attributes:
        samples: `{signature name: [{input name: array}]}` to compare on.
        timed: The same for every signature, to measure with.
        main_signature: The signature whose latency stands for a file.
        limits: Largest difference of float outputs, and smallest share of samples
            whose integer outputs agree.
        time_limit: Seconds that a child process may take; `None` for any.
    """

    samples: dict
    timed: dict
    main_signature: str
    limits: tuple
    time_limit: float | None = None


class TracedVariants:
    """The signatures of a model, traced in each loop_strategy when first asked for.

    The form `"while"` takes every mask and is what the others are compared with.

    Args:
        twin: The model to export, from `twin.portable_twin`.
        folder: Where SavedModels and TFLite files are written.
        **signatures: As in `signatures.trace_all`.
    """

    def __init__(self, twin, folder, **signatures):
        self.layers = cloning.all_layers(twin)
        self.weight_bytes = 4 * twin.count_params()
        self._trace = lambda: signatures_lib.trace_all(twin, **signatures)
        self._folder = folder
        self._traced, self._counts = {}, {}
        self.reference = self["while"]
        self.num_steps = self.counts("while").num_steps
        self.num_fusible = self.counts("while").num_fusible
        self.buffer_bytes = self.counts("while").buffer_bytes

    def __getitem__(self, kind):
        if kind not in self._traced:
            with ops.loop_strategy(kind) as counts:
                self._traced[kind] = self._trace()
            self._counts[kind] = counts
        return self._traced[kind]

    def counts(self, kind):
        """What was counted in a form: its time steps, its fusible LSTMs."""
        self[kind]
        return self._counts[kind]

    def settings(self, samples, main_signature, limits, time_limit=None):
        """Checks the samples and the name of a signature.

        Args:
            samples: As in `cases.from_data`, or `None` for random ones.
            main_signature: Name of a signature, or `None`.
            limits: As in `Settings`.
            time_limit: As in `Settings`.

        Returns:
            A `Settings`.

        Raises:
            ValueError: If a sample does not fit, or a signature is unknown.
        """
        names = list(self.reference)
        if main_signature is None:
            main_signature = "serve" if "serve" in names else names[0]
        if main_signature not in names:
            raise ValueError(
                f"`main_signature` must be one of {names}. "
                f"Received: main_signature={main_signature!r}"
            )
        if samples is not None:
            samples = calibration_inputs.from_data(
                self.reference, samples, "samples", _MOST_SAMPLES
            )
        samples = samples_lib.checked(self.reference, samples)
        timed = samples_lib.for_all(self.reference, samples)
        return Settings(samples, timed, main_signature, limits, time_limit)

    def run(self, kind):
        """A function of a signature's name and inputs, for `parity.compare`."""
        return lambda name, inputs: self[kind][name].run(inputs)

    def saved_model(self, kind):
        """Path of the SavedModel of a form, written when first asked for."""
        path = self._folder / f"saved_model_{kind}"
        if not path.exists():
            saved_model.write(self[kind], path)
        return path

    def tflite(self, name):
        """Path of a TFLite file, written or to be written."""
        return self._folder / f"{name}.tflite"
