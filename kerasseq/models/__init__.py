"""Functional-API builders, one architecture a file."""

from kerasseq.models.attention_rollout import attention_rollout as attention_rollout
from kerasseq.models.convnet import convnet as convnet
from kerasseq.models.grad_cam import grad_cam as grad_cam
from kerasseq.models.language_model import language_model as language_model
from kerasseq.models.seq2seq import seq2seq as seq2seq
from kerasseq.models.seq2seq import seq2seq_encode as seq2seq_encode
from kerasseq.models.seq2seq import seq2seq_step as seq2seq_step
from kerasseq.models.step_model import state_names as state_names
from kerasseq.models.transformer import transformer as transformer
from kerasseq.models.unet import unet as unet
from kerasseq.models.vit import vit as vit
