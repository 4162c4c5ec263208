"""Losses, metrics and callbacks that `compile` and `fit` lack for sequences and masks.

For the rest use Keras: `keras.optimizers.schedules.CosineDecay(warmup_target=...)`
warms up and decays the learning rate, `keras.optimizers.Adam(global_clipnorm=...)`
clips gradients, `keras.callbacks.EarlyStopping` stops early (pass it to `RunState`).
"""

from kerasseq.training._count_compiles import count_compiles
from kerasseq.training._fit_temperature import fit_temperature
from kerasseq.training._keep_freed_memory import keep_freed_memory
from kerasseq.training._token_metrics import token_metrics
from kerasseq.training.boundary_iou import BoundaryIoU
from kerasseq.training.crf_loss import CRFAccuracy, CRFLoss
from kerasseq.training.expected_calibration_error import ExpectedCalibrationError
from kerasseq.training.focal_loss import FocalLoss
from kerasseq.training.inverse_square_root import InverseSquareRoot
from kerasseq.training.pinball_loss import PinballLoss
from kerasseq.training.run_state import RunState
from kerasseq.training.segmentation_losses import DiceLoss, SoftJaccard
from kerasseq.training.segmentation_metrics import DiceScore, MeanIoU, PixelAccuracy
from kerasseq.training.smoothed_cross_entropy import SmoothedCrossEntropy
from kerasseq.training.stop_on_nan import StopOnNaN
from kerasseq.training.sum_of_losses import SumOfLosses
from kerasseq.training.throughput import Throughput
from kerasseq.training.truncated_bptt import TruncatedBPTT

__all__ = [
    "BoundaryIoU",
    "CRFAccuracy",
    "CRFLoss",
    "TruncatedBPTT",
    "DiceLoss",
    "DiceScore",
    "ExpectedCalibrationError",
    "FocalLoss",
    "InverseSquareRoot",
    "MeanIoU",
    "PinballLoss",
    "PixelAccuracy",
    "RunState",
    "SmoothedCrossEntropy",
    "SoftJaccard",
    "StopOnNaN",
    "SumOfLosses",
    "Throughput",
    "count_compiles",
    "fit_temperature",
    "keep_freed_memory",
    "token_metrics",
]
