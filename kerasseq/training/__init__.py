"""What `compile` and `fit` lack for sequences under XLA: loss, metrics, callbacks.

The rest is Keras' own: `keras.optimizers.schedules.CosineDecay(warmup_target=...)`
warms up and decays the learning rate, `keras.optimizers.Adam(global_clipnorm=...)`
clips, `keras.callbacks.EarlyStopping` stops (hand it to `RunState`).
"""

from kerasseq.training.carried_state import CarriedState
from kerasseq.training.compiles import count_compiles
from kerasseq.training.losses import SmoothedCrossEntropy
from kerasseq.training.metrics import token_metrics
from kerasseq.training.run_state import RunState
from kerasseq.training.stop_on_nan import StopOnNaN
from kerasseq.training.throughput import Throughput

__all__ = [
    "CarriedState",
    "RunState",
    "SmoothedCrossEntropy",
    "StopOnNaN",
    "Throughput",
    "count_compiles",
    "token_metrics",
]
