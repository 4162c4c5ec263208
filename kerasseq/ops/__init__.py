"""Pure functions on tensors: time loops, recurrent cells, attention."""

from kerasseq.ops._attention_recurrence import (
    attention_recurrence as attention_recurrence,
)
from kerasseq.ops._chain import best_path as best_path
from kerasseq.ops._chain import chain_log_probabilities as chain_log_probabilities
from kerasseq.ops._delta_rule import delta_rule as delta_rule
from kerasseq.ops._diagonal_state_space import (
    diagonal_state_space as diagonal_state_space,
)
from kerasseq.ops._dropout import dropout as dropout
from kerasseq.ops._dropout import random_choice as random_choice
from kerasseq.ops._gru import gru as gru
from kerasseq.ops._hard_sigmoid import keras2_hard_sigmoid as keras2_hard_sigmoid
from kerasseq.ops._linear_recurrence import linear_recurrence as linear_recurrence
from kerasseq.ops._loop_strategy import loop_strategy as loop_strategy
from kerasseq.ops._loop_strategy import without_fusion as without_fusion
from kerasseq.ops._lstm import lstm as lstm
from kerasseq.ops._multi_head_attention import alibi_slopes as alibi_slopes
from kerasseq.ops._multi_head_attention import (
    multi_head_attention as multi_head_attention,
)
from kerasseq.ops._multi_head_attention import rotate as rotate
from kerasseq.ops._recurrence import recurrence as recurrence
from kerasseq.ops._scores import (
    additive_scores_of_steps as additive_scores_of_steps,
)
from kerasseq.ops._selective_scan import selective_scan as selective_scan
from kerasseq.ops._simple_rnn import simple_rnn as simple_rnn
from kerasseq.ops._state_space_duality import (
    state_space_duality as state_space_duality,
)
from kerasseq.ops._time_loop import time_loop as time_loop
from kerasseq.ops._wkv import wkv as wkv
from kerasseq.ops.attention import MASKED_SCORE as MASKED_SCORE
from kerasseq.ops.attention import additive_scores as additive_scores
from kerasseq.ops.attention import attend as attend
from kerasseq.ops.attention import dot_scores as dot_scores
from kerasseq.ops.cells import gru_step as gru_step
from kerasseq.ops.cells import lstm_step as lstm_step
from kerasseq.ops.cells import simple_rnn_step as simple_rnn_step
