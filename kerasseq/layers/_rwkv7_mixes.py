"""The time mix and the channel mix of RWKV-7; names of weights as the authors'."""

import keras
import numpy as np
from keras import ops

from kerasseq.layers import _rwkv_block
from kerasseq.ops import delta_rule

# Of low-rank maps: a factor of a power of the units.
RANKS = {"w": (1.8, 0.5), "a": (1.8, 0.5), "v": (1.3, 0.5), "g": (0.6, 0.8)}
EPSILON = 64e-5  # of the norm of each head
LEAST_LENGTH = 1e-12  # of a removal key


def default_rank(kind, units):
    """What the authors suggest: a multiple of 32."""
    factor, power = RANKS[kind]
    return max(32, 32 * round(factor * units**power / 32))


class TimeMix(_rwkv_block.Mix):
    """The generalized delta rule with token shift, norm of heads, bonus and gate."""

    def __init__(self, units, depth, head_size, ranks, value_residual, **kwargs):
        super().__init__(units, depth, **kwargs)
        self.head_size, self.heads = head_size, units // head_size
        self.ranks, self.value_residual = ranks, value_residual

    def build(self, shape):
        units, place = self.units, _rwkv_block.places(self.units)
        above = 1 - self.depth
        powers = {"r": 0.2, "w": 0.9, "k": 0.7, "v": 0.7, "a": 0.9, "g": 0.2}
        for name, power in powers.items():
            mix = self.vector(f"x_{name}", 1 - place ** (power * above))
            setattr(self, f"x_{name}", mix)
        for name, start in self._starts().items():
            setattr(self, name, self.vector(name, start))
            if name in ("w0", "a0", "v0"):
                self._low_rank(name[0])
        self._low_rank("g")
        for name, size in {"receptance": 0.5, "key": 0.05, "value": 0.5}.items():
            limit = size * units**-0.5
            start = keras.initializers.RandomUniform(-limit, limit)
            setattr(self, name, self.dense(name, units, units, start))
        self.output_projection = self.dense("output", units, units, "zeros")
        self.ln_x = HeadNorm(units, dtype=self.dtype_policy, name="ln_x")
        self.ln_x.build(shape)

    def _starts(self):
        """Initial values of vectors: a line and a zigzag over units and heads."""
        units, size = self.units, self.head_size
        line = np.arange(units) / max(1, units - 1)
        zigzag = np.arange(units) % size / max(1, size - 1) * 2 - 1 if size > 1 else 0.0
        zigzag = zigzag * np.abs(zigzag)
        centered = line - 0.5
        found = {
            "w0": -5.5 + 6 * line ** (1 + self.depth**0.3) + 2.5 * zigzag,
            "a0": -0.19 + 0.3 * zigzag + 0.4 * centered,
            "k_k": 0.71 - 0.1 * centered,
            "k_a": np.full(units, 1.02),
            "r_k": np.full((self.heads, size), -0.04),
        }
        if self.value_residual:
            found["v0"] = 0.73 - 0.4 * centered
        return found

    def _low_rank(self, kind):
        rank, units = self.ranks[kind], self.units
        gain = 0.1 * max(1, rank / units) ** 0.5
        for name, shape, start in (
            (f"{kind}1", (units, rank), "zeros"),
            (f"{kind}2", (rank, units), keras.initializers.Orthogonal(gain)),
        ):
            weight = self.add_weight(
                shape=shape, initializer=start, autocast=False, name=name
            )
            setattr(self, name, weight)

    def call(self, x, before, state, first_value):
        shift = _rwkv_block.shifted(x, before) - x
        mixed = {k: x + shift * self._as(x, f"x_{k}") for k in "rwkvag"}
        r, k = self.receptance(mixed["r"]), self.key(mixed["k"])
        v = value = self.value(mixed["v"])
        if self.value_residual:
            share = ops.sigmoid(self._as(x, "v0") + self._mapped(mixed["v"], "v"))
            v = v + (first_value - v) * share
        rate = ops.sigmoid(self._as(x, "a0") + self._mapped(mixed["a"], "a"))
        gate = self._mapped(mixed["g"], "g", ops.sigmoid)
        log_decay = self._log_decay(mixed["w"])
        removed = self._removal_keys(k)
        k = k * (1 + (rate - 1) * self._as(x, "k_a"))
        weights = removed * ops.cast(self._by_head(rate), "float32")
        rows = [self._by_head(y) for y in (r, log_decay, k, v)]
        y, state = delta_rule(*rows, removed, weights, state)
        y = self._joined(self.ln_x(y)) + self._bonus(rows[0], rows[2], rows[3])
        return self.output_projection(y * gate), value, state

    def _as(self, x, name):
        return ops.cast(getattr(self, name), x.dtype)

    def _mapped(self, x, kind, activation=lambda x: x):
        x = activation(ops.matmul(x, self._as(x, f"{kind}1")))
        return ops.matmul(x, self._as(x, f"{kind}2"))

    def _log_decay(self, x):
        """log of exp(-exp(-softplus(-z) - 1/2)), in float32."""
        z = ops.cast(self.w0, "float32")
        z = z + ops.cast(self._mapped(x, "w", ops.tanh), "float32")
        return -float(np.exp(-0.5)) * ops.sigmoid(z)

    def _by_head(self, x):
        """`(batch_size, length, heads, head_size)`."""
        length = x.shape[1] or ops.shape(x)[1]
        return ops.reshape(x, (-1, length, self.heads, self.head_size))

    def _joined(self, x):
        length = x.shape[1] or ops.shape(x)[1]
        return ops.reshape(x, (-1, length, self.units))

    def _removal_keys(self, k):
        """Keys of length 1 in each head, float32."""
        k = ops.cast(k, "float32") * ops.cast(self.k_k, "float32")
        k = self._by_head(k)
        length = ops.sum(ops.square(k), axis=-1, keepdims=True)
        return k * ops.rsqrt(ops.maximum(length, LEAST_LENGTH**2))

    def _bonus(self, r, k, v):
        """What the current step adds on its own."""
        weight = ops.sum(r * k * self._as(r, "r_k"), axis=-1, keepdims=True)
        return self._joined(weight * v)


class HeadNorm(_rwkv_block.Mix):
    """Group normalization of each step, a group for each head; in float32."""

    def build(self, shape):
        self.gamma = self.vector("gamma", np.ones(self.units))
        self.beta = self.vector("beta", np.zeros(self.units))

    def call(self, inputs):
        """Of `(batch_size, length, heads, head_size)`."""
        x = ops.cast(inputs, "float32")
        x = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(x), axis=-1, keepdims=True)
        x = x * ops.rsqrt(variance + EPSILON)
        gamma, beta = (
            ops.reshape(ops.cast(weight, "float32"), inputs.shape[2:])
            for weight in (self.gamma, self.beta)
        )
        return ops.cast(x * gamma + beta, inputs.dtype)


class ChannelMix(_rwkv_block.Mix):
    """A feed-forward layer with token shift and squared ReLU."""

    def __init__(self, units, depth, mlp_dim, **kwargs):
        super().__init__(units, depth, **kwargs)
        self.mlp_dim = mlp_dim

    def build(self, shape):
        units, wide = self.units, self.mlp_dim
        power, limit = (1 - self.depth) ** 4, 0.5 * units**-0.5
        start = keras.initializers.RandomUniform(-limit, limit)
        self.x_k = self.vector("x_k", 1 - _rwkv_block.places(units) ** power)
        self.key = self.dense("key", units, wide, start)
        self.value = self.dense("value", wide, units, "zeros")

    def call(self, x, before):
        shift = _rwkv_block.shifted(x, before) - x
        k = self.key(x + shift * ops.cast(self.x_k, x.dtype))
        return self.value(ops.square(ops.relu(k)))
