"""The time mix and the channel mix of RWKV-4; names of weights as the authors'."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _rwkv_block
from kerasseq.ops import wkv


class TimeMix(_rwkv_block.Mix):
    """WKV with token shift and receptance."""

    def build(self, shape):
        units, depth = self.units, self.depth
        place, above = _rwkv_block.places(units), 1 - depth
        steps = np.arange(units) / max(1, units - 1)
        speed = -5 + 8 * steps ** (0.7 + 1.3 * depth)
        zigzag = 0.5 * ((np.arange(units) + 1) % 3 - 1)
        self.time_decay = self.vector("time_decay", speed)
        self.time_first = self.vector("time_first", np.log(0.3) + zigzag)
        self.time_mix_k = self.vector("time_mix_k", place**above)
        self.time_mix_v = self.vector("time_mix_v", place**above + 0.3 * depth)
        self.time_mix_r = self.vector("time_mix_r", place ** (0.5 * above))
        self.key = self.dense("key", units, units, "zeros")
        self.value = self.dense("value", units, units, "orthogonal")
        self.receptance = self.dense("receptance", units, units, "zeros")
        self.output_projection = self.dense("output", units, units, "zeros")

    def call(self, x, before, sums):
        previous = _rwkv_block.shifted(x, before)
        k = self.key(_mixed(x, previous, self.time_mix_k))
        v = self.value(_mixed(x, previous, self.time_mix_v))
        r = self.receptance(_mixed(x, previous, self.time_mix_r))
        decay = ops.exp(ops.cast(self.time_decay, "float32"))
        y, sums = wkv(k, v, decay, self.time_first, sums)
        return self.output_projection(ops.sigmoid(r) * y), sums


class ChannelMix(_rwkv_block.Mix):
    """A feed-forward layer with token shift, squared ReLU and receptance."""

    def __init__(self, units, depth, mlp_dim, **kwargs):
        super().__init__(units, depth, **kwargs)
        self.mlp_dim = mlp_dim

    def build(self, shape):
        units, wide = self.units, self.mlp_dim
        mix = _rwkv_block.places(units) ** (1 - self.depth)
        start = keras.initializers.Orthogonal(max(1, wide / units) ** 0.5)
        self.time_mix_k = self.vector("time_mix_k", mix)
        self.time_mix_r = self.vector("time_mix_r", mix)
        self.key = self.dense("key", units, wide, start)
        self.receptance = self.dense("receptance", units, units, "zeros")
        self.value = self.dense("value", wide, units, "zeros")

    def call(self, x, before):
        previous = _rwkv_block.shifted(x, before)
        k = self.key(_mixed(x, previous, self.time_mix_k))
        r = self.receptance(_mixed(x, previous, self.time_mix_r))
        return ops.sigmoid(r) * self.value(ops.square(ops.relu(k)))


def _mixed(x, previous, share):
    share = ops.cast(share, x.dtype)
    return x * share + previous * (1 - share)
