"""Heat maps of a model's decisions: Grad-CAM of CNNs, attention rollout of ViTs."""

from kerasseq.explain._attention_rollout import attention_rollout as attention_rollout
from kerasseq.explain._grad_cam import grad_cam as grad_cam

__all__ = ["attention_rollout", "grad_cam"]
