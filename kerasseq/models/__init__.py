"""Functional-API builders, one architecture a file."""

from kerasseq.models._captioner import captioner as captioner
from kerasseq.models._captioner import captioner_encode as captioner_encode
from kerasseq.models._captioner import captioner_grid as captioner_grid
from kerasseq.models._convnet import convnet as convnet
from kerasseq.models._language_model import language_model as language_model
from kerasseq.models._seq2seq import seq2seq as seq2seq
from kerasseq.models._seq2seq import seq2seq_encode as seq2seq_encode
from kerasseq.models._seq2seq import seq2seq_step as seq2seq_step
from kerasseq.models._transformer import transformer as transformer
from kerasseq.models._unet import unet as unet
from kerasseq.models._vit import vit as vit
from kerasseq.models.step_model import state_names as state_names
