"""A linear-chain conditional random field over the labels of a sequence."""

import keras

from kerasseq import ops


@keras.saving.register_keras_serializable(package="kerasseq")
class CRF(keras.layers.Layer):
    """Labels of a sequence that depend on each other: a linear-chain CRF.

    Features of each step become scores of the labels; a table of transitions scores
    each pair of neighbors. The layer returns log-probabilities of each label given the
    one before it, so that the loss of a step is one of them and that of a sequence is
    their sum. Train with `kerasseq.training.CRFLoss`; `kerasseq.ops.best_path` finds
    the most probable labels (Viterbi), in an exported graph too.

    Padding, on the right, repeats the label before it and has no weight in the loss.

    Args:
        units: Positive integer, number of labels.
        kernel_initializer: Initializer of the weights from features to scores.
        transition_initializer: Initializer of the scores of pairs, and of the first
            and the last label. Zeros by default: at first labels are independent.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`.
        mask: Optional boolean tensor `(batch_size, length)`, `False` for padding.

    Input shape:
        `(batch_size, length, features)`.

    Output shape:
        `(batch_size, length, units, units)`, the label before first, in float32 at
        least.

    Raises:
        ValueError: If `units` is not positive.

    Example:
        >>> x = np.random.rand(2, 5, 8).astype("float32")
        >>> log_probabilities = kerasseq.layers.CRF(3)(x)
        >>> kerasseq.ops.best_path(log_probabilities).shape
        (2, 5)

    Reference:
        Lafferty, McCallum and Pereira (2001), Conditional Random Fields; Lample et al.
        (2016), Neural Architectures for Named Entity Recognition, section 2.2.
    """

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        transition_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(
                f"`units` must be a positive integer. Received: units={units}"
            )
        self.units = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.transition_initializer = keras.initializers.get(transition_initializer)
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, inputs_shape):
        self.dense = keras.layers.Dense(
            self.units,
            kernel_initializer=self.kernel_initializer,
            dtype=self.dtype_policy,
            name="scores",
        )
        self.dense.build(inputs_shape)
        names = {"transitions": (self.units, self.units)}
        names |= {"start": (self.units,), "end": (self.units,)}
        for name, shape in names.items():
            weight = self.add_weight(
                shape=shape, initializer=self.transition_initializer, name=name
            )
            setattr(self, name, weight)

    def call(self, inputs, mask=None):
        weights = (self.transitions, self.start, self.end)
        return ops.chain_log_probabilities(self.dense(inputs), *weights, mask)

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:2], self.units, self.units)

    def compute_output_spec(self, inputs, mask=None):
        shape = self.compute_output_shape(inputs.shape)
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        return keras.KerasTensor(shape, dtype)

    def get_config(self):
        serialize = keras.initializers.serialize
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": serialize(self.kernel_initializer),
            "transition_initializer": serialize(self.transition_initializer),
        }
