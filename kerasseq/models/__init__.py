"""Functional-API builders, one architecture a file."""

from kerasseq.models._captioner import captioner as captioner
from kerasseq.models._captioner import captioner_encode as captioner_encode
from kerasseq.models._captioner import captioner_grid as captioner_grid
from kerasseq.models._convnet import convnet as convnet
from kerasseq.models._forecast_bodies import forecaster_kinds as forecaster_kinds
from kerasseq.models._forecaster import forecaster as forecaster
from kerasseq.models._image_sequence_classifier import (
    image_sequence_classifier as image_sequence_classifier,
)
from kerasseq.models._language_model import language_model as language_model
from kerasseq.models._seq2seq import seq2seq as seq2seq
from kerasseq.models._seq2seq import seq2seq_encode as seq2seq_encode
from kerasseq.models._seq2seq import seq2seq_step as seq2seq_step
from kerasseq.models._sequence_encoders import encoder_kinds as encoder_kinds
from kerasseq.models._streaming import is_streamable as is_streamable
from kerasseq.models._streaming import streaming_model as streaming_model
from kerasseq.models._tagger import tagger as tagger
from kerasseq.models._text_classifier import text_classifier as text_classifier
from kerasseq.models._transformer import transformer as transformer
from kerasseq.models._unet import unet as unet
from kerasseq.models._vit import vit as vit
from kerasseq.models.step_model import state_names as state_names
