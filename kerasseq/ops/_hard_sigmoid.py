"""The hard sigmoid of Keras 2, which differs from that of Keras 3."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kerasseq")
def keras2_hard_sigmoid(x):
    """Computes `clip(0.2 * x + 0.5, 0, 1)`.

    In Keras 3 `keras.activations.hard_sigmoid` is `relu6(x + 3) / 6`. The two differ by
    up to 0.033.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the same shape.
    """
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
