"""Keras layers: recurrence that compiles, attention, Transformers, parts of a ViT.

`CELLS` is the table of recurrent cells, by name, and `BLOCKS` that of state-space and
linear recurrent blocks, which `ResidualStack` stacks. Layers that can go on where they
stopped follow one protocol, see `StateMixin` in `kerasseq.layers._state_protocol`.
"""

from kerasseq.layers.attention_decoder import AttentionDecoder as AttentionDecoder
from kerasseq.layers.cached_attention import CachedAttention as CachedAttention
from kerasseq.layers.cells import CELLS as CELLS
from kerasseq.layers.class_token import ClassToken as ClassToken
from kerasseq.layers.crf import CRF as CRF
from kerasseq.layers.dropout import Dropout as Dropout
from kerasseq.layers.grid_positions import GridPositions as GridPositions
from kerasseq.layers.grid_positions import (
    PatchPositionEmbedding as PatchPositionEmbedding,
)
from kerasseq.layers.gru import GRU as GRU
from kerasseq.layers.irnn import IRNN as IRNN
from kerasseq.layers.layer_norm_lstm import LayerNormLSTM as LayerNormLSTM
from kerasseq.layers.layer_norm_lstm import LayerNormLSTMCell as LayerNormLSTMCell
from kerasseq.layers.lstm import LSTM as LSTM
from kerasseq.layers.mamba import Mamba as Mamba
from kerasseq.layers.mamba2 import Mamba2 as Mamba2
from kerasseq.layers.multi_head_attention import (
    MultiHeadAttention as MultiHeadAttention,
)
from kerasseq.layers.peephole_lstm import PeepholeLSTM as PeepholeLSTM
from kerasseq.layers.peephole_lstm import PeepholeLSTMCell as PeepholeLSTMCell
from kerasseq.layers.residual_stack import BLOCKS as BLOCKS
from kerasseq.layers.residual_stack import ResidualStack as ResidualStack
from kerasseq.layers.rnn import RNN as RNN
from kerasseq.layers.rwkv4 import RWKV4 as RWKV4
from kerasseq.layers.rwkv7 import RWKV7 as RWKV7
from kerasseq.layers.s4d import S4D as S4D
from kerasseq.layers.simple_rnn import SimpleRNN as SimpleRNN
from kerasseq.layers.stacked_rnn import StackedRNN as StackedRNN
from kerasseq.layers.token_positions import PositionEmbedding as PositionEmbedding
from kerasseq.layers.token_positions import TokenPositions as TokenPositions
from kerasseq.layers.transformer_block import TransformerBlock as TransformerBlock
from kerasseq.layers.transformer_stack import TransformerDecoder as TransformerDecoder
from kerasseq.layers.transformer_stack import TransformerEncoder as TransformerEncoder
from kerasseq.layers.window_transformer import WindowTransformer as WindowTransformer
from kerasseq.layers.zoneout_lstm import ZoneoutLSTM as ZoneoutLSTM
from kerasseq.layers.zoneout_lstm import ZoneoutLSTMCell as ZoneoutLSTMCell
