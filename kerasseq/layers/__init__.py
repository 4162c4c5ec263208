"""Keras layers: recurrent layers that compile, and an attention decoder."""

from kerasseq.layers.attention_decoder import AttentionDecoder as AttentionDecoder
from kerasseq.layers.gru import GRU as GRU
from kerasseq.layers.lstm import LSTM as LSTM
from kerasseq.layers.rnn import RNN as RNN
from kerasseq.layers.simple_rnn import SimpleRNN as SimpleRNN
