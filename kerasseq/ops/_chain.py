"""A linear chain of labels: probabilities given the label before, and the best path."""

import keras
from keras import ops

from kerasseq.ops import _time_loop, attention


def chain_log_probabilities(scores, transitions, start, end, mask=None):
    """Log-probabilities of each label given the one before it.

    A linear-chain conditional random field is a Markov chain once all that follows is
    summed up: with `beta_t(i)` the log-sum of all ways on from label `i` at step `t`,

        log p(y_t = j | y_{t-1} = i) = A_ij + s_tj + beta_t(j) - beta_{t-1}(i)

    so that the log-probability of a whole path is the sum over its steps.

    Args:
        scores: Tensor of shape `(batch_size, length, num_labels)`, `s` above.
        transitions: Tensor of shape `(num_labels, num_labels)`, from row to column.
        start: Tensor of shape `(num_labels,)`, scores of the first label.
        end: Tensor of shape `(num_labels,)`, scores of the last label.
        mask: Optional boolean tensor `(batch_size, length)`, `False` for padding on the
            right. There the label before is repeated, with probability 1.

    Returns:
        Tensor of shape `(batch_size, length, num_labels, num_labels)`, label before
        first, in float32 at least. At the first step all rows are alike.

    Reference:
        Lafferty, McCallum and Pereira (2001), Conditional Random Fields; Sutton and
        McCallum (2012), An Introduction to Conditional Random Fields, section 4.1.
    """
    dtype = keras.backend.result_type(scores.dtype, "float32")  # sums over all steps
    scores, transitions, start, end = (
        ops.cast(x, dtype) for x in (scores, transitions, start, end)
    )
    batch_size = ops.shape(scores)[0]
    if mask is None:
        mask = ops.ones_like(scores[..., 0], dtype="bool")
    steps = {"scores": _time_major(scores), "valid": _time_major(mask)}

    def step(inputs, after):
        ways = transitions + ops.expand_dims(inputs["scores"] + after, 1)
        before = ops.logsumexp(ways, axis=-1)
        valid = ops.expand_dims(inputs["valid"], -1)
        return after, ops.where(valid, before, after)

    last = ops.broadcast_to(end, (batch_size, scores.shape[-1]))
    after, _ = _time_loop.time_loop(step, steps, last, reverse=True)
    after = ops.swapaxes(after, 0, 1)  # (batch_size, length, num_labels)
    onward = ops.expand_dims(scores + after, 2)
    later = transitions + onward[:, 1:] - ops.expand_dims(after[:, :-1], -1)
    first = ops.log_softmax(start + onward[:, :1], axis=-1)
    first = ops.broadcast_to(first, (batch_size, 1, *transitions.shape))
    found = ops.concatenate([first, later], axis=1)
    repeated = (1 - ops.eye(transitions.shape[0], dtype=dtype)) * attention.MASKED_SCORE
    return ops.where(_of_steps(mask), found, repeated)


def best_path(log_probabilities):
    """The most probable labels of a chain, by the algorithm of Viterbi.

    Args:
        log_probabilities: Tensor of shape `(batch_size, length, num_labels,
            num_labels)`, from `chain_log_probabilities`.

    Returns:
        Int32 tensor of shape `(batch_size, length)`.

    Reference:
        Viterbi (1967), Error Bounds for Convolutional Codes; Forney (1973), The
        Viterbi Algorithm.
    """
    steps = _time_major(log_probabilities)
    num_labels = steps.shape[-1]
    none = ops.zeros_like(steps[0, :, 0])  # (batch_size, num_labels)

    def forward(ways, best):
        best = ops.max(ops.expand_dims(best, -1) + ways, axis=1)
        return best, best

    # There is no label before the first step: its first row tells.
    apart = ops.where(ops.arange(num_labels) > 0, attention.MASKED_SCORE, 0.0)
    best, _ = _time_loop.time_loop(forward, steps, none + ops.cast(apart, none.dtype))

    def backward(inputs, chosen):
        onward = ops.sum(inputs["ways"] * ops.expand_dims(chosen, 1), axis=-1)
        # Not `ops.argmax`, which does not convert to builtin ops alone.
        label = ops.squeeze(ops.top_k(inputs["best"] + onward, 1)[1], -1)
        return label, ops.one_hot(label, num_labels, dtype=steps.dtype)

    # Step t chooses with the ways to step t + 1; the last has none.
    ways = ops.concatenate([steps[1:], ops.zeros_like(steps[:1])], axis=0)
    labels, _ = _time_loop.time_loop(
        backward, {"best": best, "ways": ways}, none, reverse=True
    )
    return ops.cast(ops.swapaxes(labels, 0, 1), "int32")


def _time_major(x):
    return keras.ops.swapaxes(x, 0, 1)


def _of_steps(mask):
    return ops.reshape(mask, (*ops.shape(mask), 1, 1))
