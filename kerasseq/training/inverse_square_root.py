"""The learning rate schedule of the Transformer paper."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerasseq")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warmup, then decay with the inverse square root of the step.

        peak * min(step / warmup_steps, sqrt(warmup_steps / step))

    With `peak = (hidden_dim * warmup_steps) ** -0.5` this is equation 3 of Vaswani et
    al. (2017).

    Args:
        peak: Float. The highest learning rate, reached at step `warmup_steps`.
        warmup_steps: Integer, at least 1. Number of steps until the peak.

    Raises:
        ValueError: If `warmup_steps` is below 1.

    Example:
        >>> schedule = kerasseq.training.InverseSquareRoot(1e-3, 4000)
        >>> float(schedule(16000))
        0.0005

    Reference:
        Vaswani et al. (2017), Attention Is All You Need, section 5.3.
    """

    def __init__(self, peak, warmup_steps):
        super().__init__()
        if warmup_steps < 1:
            raise ValueError(
                "`warmup_steps` must be at least 1. "
                f"Received: warmup_steps={warmup_steps}"
            )
        self.peak = peak
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        # Keras counts steps from 0, where the decay would divide by zero.
        step = ops.maximum(ops.cast(step, "float32"), 1.0)
        rising, falling = step / self.warmup_steps, ops.sqrt(self.warmup_steps / step)
        return self.peak * ops.minimum(rising, falling)

    def get_config(self):
        return {"peak": self.peak, "warmup_steps": self.warmup_steps}
