"""The state protocol: how a layer that reads a sequence hands out its states."""

from keras import ops


def by_layer(states, num_layers):
    """The flat list of a stack's states as one list for each layer."""
    each = len(states) // num_layers
    return [states[k : k + each] for k in range(0, len(states), each)]


class StateMixin:
    """Base of the layers that can go on where they stopped.

    Such a layer keeps nothing between calls: states go in and come out, as lists of
    tensors. That is what `kerasseq.models.language_model` needs of its body, search of
    a decoder, and a phone of both. A layer has

    - `state_size`: list of the shapes of its states, without the batch; known once
      the layer is built;
    - `get_initial_state(batch_size)`: the states that a sequence starts from;
    - `call(inputs, initial_state=None, training=False)`: a sequence `(batch_size,
      length, features)` at once, with the result `[outputs, *states]`;
    - `step(inputs, states)`: one position `(batch_size, features)`, with the result
      `(outputs, states)`.

    A sequence at once, in chunks or step by step gives the same outputs.

    A decoder reads a source too, so there is more to it: `start(memory, ...)` gives
    `(context, states)`, with what the source contributes to every step; `project`
    prepares inputs, one or all of them, outside of the loop; and
    `step(projected, states, context)` gives `(outputs, attention, states)`. Its call
    returns the outputs alone.
    """

    @property
    def state_size(self):
        raise NotImplementedError

    def get_initial_state(self, batch_size):
        """The zeros that a sequence starts from, a list in the order of the states."""
        shapes = [(batch_size, *shape) for shape in self.state_size]
        return [ops.zeros(shape, self.compute_dtype) for shape in shapes]

    def step(self, inputs, states):
        """Computes one position.

        Args:
            inputs: Tensor of shape `(batch_size, features)`.
            states: List of tensors, from `get_initial_state` or the step before.

        Returns:
            `(outputs, states)`: the outputs `(batch_size, features)` and the new
            states.

        Raises:
            ValueError: If the layer does not return its states.
        """
        self._check_returns_states()
        sequence = ops.expand_dims(inputs, 1)  # (batch_size, 1, features)
        outputs, *states = self(sequence, initial_state=list(states))
        return ops.squeeze(outputs, 1), states

    def _check_returns_states(self):
        if not getattr(self, "return_state", True):
            raise ValueError(
                "A step needs the states: create the layer with `return_state=True`. "
                f"Received: layer '{self.name}' with return_state=False"
            )
