"""The variants of a model: its signatures traced once for each loop strategy."""

import pathlib
from typing import Any

import keras

from kerasseq import ops
from kerasseq.convert import cloning
from kerasseq.export import front_ends
from kerasseq.export import samples as samples_lib
from kerasseq.export import signatures as signatures_lib


class TracedVariants:
    """The signatures of a model, traced with each loop strategy when first asked for.

    The variant `"while"` takes every mask and is what the others are compared with.

    Args:
        front_end: A `front_ends.FrontEnd`.
        twin: The model to export, from `twin.portable_twin`; `None` for a function
            that is of none.
        folder: Where SavedModels or StableHLO and TFLite files are written.
        **signatures: As in `signatures.trace_all`.
    """

    def __init__(
        self,
        front_end: front_ends.FrontEnd,
        twin: keras.Model | None,
        folder: pathlib.Path,
        **signatures: Any,
    ) -> None:
        self.front_end = front_end
        self.layers = cloning.all_layers(twin) if twin else []
        self.weight_bytes = 4 * twin.count_params() if twin else 0
        self._model, self._signatures = twin, signatures
        self._folder = folder
        self._traced: dict[str, dict[str, signatures_lib.Signature]] = {}
        self._counts: dict[str, Any] = {}
        self.reference = self["while"]
        self.num_steps = self.counts("while").num_steps
        self.num_fusible = self.counts("while").num_fusible
        self.num_masked = self.counts("while").num_masked
        self.buffer_bytes = self.counts("while").buffer_bytes

    def __getitem__(self, loop_strategy: str) -> dict[str, signatures_lib.Signature]:
        if loop_strategy not in self._traced:
            with ops.loop_strategy(loop_strategy) as counts:
                self._traced[loop_strategy] = signatures_lib.trace_all(
                    self._model, **self._signatures
                )
            self._counts[loop_strategy] = counts
        return self._traced[loop_strategy]

    def counts(self, loop_strategy: str) -> Any:
        """The counts of a variant: its time steps, its fusible LSTMs."""
        self[loop_strategy]
        return self._counts[loop_strategy]

    def run(self, loop_strategy: str) -> samples_lib.Engine:
        """A function of a signature's name and inputs, for `parity.compare`."""
        return lambda name, inputs: self[loop_strategy][name].run(inputs)

    def source(self, loop_strategy: str) -> pathlib.Path:
        """Path of what the converter takes, written when first asked for."""
        path = self._folder / f"{self.front_end.name}_{loop_strategy}"
        if not path.exists():
            if self.front_end.traces_elsewhere:
                self._trace_elsewhere(loop_strategy, path)
            else:
                self.front_end.write(self.traced(loop_strategy), path)
        return path

    def traced(self, loop_strategy: str) -> dict[str, front_ends.Traced]:
        """`{signature name: front_ends.Traced}` of a variant."""
        return {name: x.traced for name, x in self[loop_strategy].items()}

    def _trace_elsewhere(self, loop_strategy, path):
        from kerasseq.export.stablehlo import from_keras

        from_keras.write(self._model, self._signatures, loop_strategy, path)

    def tflite(self, name: str) -> pathlib.Path:
        """Path of a TFLite file, written or to be written."""
        return self._folder / f"{name}.tflite"
