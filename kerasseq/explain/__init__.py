"""Where a model looks: Grad-CAM of convolutional networks, rollout of attention."""

from kerasseq.explain._attention_rollout import attention_rollout as attention_rollout
from kerasseq.explain._grad_cam import grad_cam as grad_cam
