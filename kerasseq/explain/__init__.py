"""What decisions rest on: Grad-CAM, attention rollout, gradient times input."""

from kerasseq.explain._attention_rollout import attention_rollout as attention_rollout
from kerasseq.explain._grad_cam import grad_cam as grad_cam
from kerasseq.explain._gradient_times_input import (
    gradient_times_input as gradient_times_input,
)
from kerasseq.explain._word_importance import word_importance as word_importance

__all__ = [
    "attention_rollout",
    "grad_cam",
    "gradient_times_input",
    "word_importance",
]
