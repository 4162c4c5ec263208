"""A function of tensors whose gradient is written by hand."""

import itertools
import typing
import weakref

import keras
from keras import ops

_NUMBERS = itertools.count()


def with_manual_gradient(forward, backward, arguments):
    """Calls a function whose gradient is another one.

    As `keras.ops.custom_gradient`, which in a graph of TensorFlow keeps every graph it
    was traced in, and the variables of that graph, as long as the process lives
    (`tf.custom_gradient` registers the gradient of each trace, which holds its
    tensors): who builds many models would run out of memory. Here it finds its tensors
    among the inputs of the op.

    Args:
        forward: Callable `arguments -> (outputs, kept)`: a list of tensors, and a
            nested structure of those that `backward` needs. Like `backward` it must not
            refer to tensors in another way, which JAX does not allow either.
        backward: Callable `(arguments, kept, upstream) -> gradients`, `upstream` a list
            as the outputs, the gradients in the structure of the arguments.
        arguments: Nested structure of float tensors.

    Returns:
        The list of outputs.
    """
    flat = keras.tree.flatten(arguments)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if not tf.executing_eagerly():
            return _in_a_graph(forward, backward, arguments, flat)

    @ops.custom_gradient
    def compute(*flat):
        packed = keras.tree.pack_sequence_as(arguments, list(flat))
        outputs, kept = forward(packed)

        def gradient(*upstream, **_):
            upstream = keras.tree.flatten(upstream)
            return tuple(_cast(backward(packed, kept, upstream), flat))

        return tuple(outputs), gradient

    return list(compute(*flat))


def _in_a_graph(forward, backward, arguments, flat):
    import tensorflow as tf

    structure = _structure(arguments)

    def compute(*flat):
        packed = keras.tree.pack_sequence_as(structure, list(flat))
        outputs, kept = forward(packed)
        tensors = [*outputs, *flat, *keras.tree.flatten(kept)]
        graph = tf.compat.v1.get_default_graph()
        name = f"KerasseqManualGradient{next(_NUMBERS)}"
        with graph.gradient_override_map({"IdentityN": name}):
            marked = tf.identity_n(tensors)
        gradient = _Gradient(
            backward,
            len(outputs),
            structure,
            _structure(kept),
            weakref.ref(graph),
            marked[0].op.name,
        )
        tf.RegisterGradient(name)(gradient)
        return marked[: len(outputs)]

    # A tape inside the caller's graph does not see the gradient of an op there, but
    # that of a function.
    flat = map(tf.convert_to_tensor, flat)
    return list(tf.function(compute, autograph=False)(*flat))


def _structure(tensors):
    """A nested structure without its tensors."""
    return keras.tree.map_structure(lambda _: 0, tensors)


class _Gradient(typing.NamedTuple):
    """The gradient of one `IdentityN`: `backward` of what its inputs are.

    TensorFlow keeps it for ever, so it has no tensor and no graph.
    """

    backward: typing.Callable
    num_outputs: int
    arguments: typing.Any
    kept: typing.Any
    graph: weakref.ref
    op: str

    def __call__(self, op, *upstream):
        if op is None:  # when a SavedModel is written
            op = self.graph().get_operation_by_name(self.op)
        flat = list(op.inputs)[self.num_outputs :]
        end = len(keras.tree.flatten(self.arguments))
        gradients = self.backward(
            keras.tree.pack_sequence_as(self.arguments, flat[:end]),
            keras.tree.pack_sequence_as(self.kept, flat[end:]),
            list(upstream[: self.num_outputs]),
        )
        rest = [None] * len(flat[end:])
        return [*[None] * self.num_outputs, *_cast(gradients, flat[:end]), *rest]


def _cast(gradients, tensors):
    pairs = zip(keras.tree.flatten(gradients), tensors, strict=True)
    return [ops.cast(gradient, tensor.dtype) for gradient, tensor in pairs]
