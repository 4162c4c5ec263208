"""Text generation with a step model, as a Keras model and as a signature."""

import keras
from keras import ops

from kerasseq import models
from kerasseq.decoding import _step_signature, sampling


class Generator(keras.Model):
    """Continues prompts by sampling from a step model; call `predict`.

    `predict` compiles the whole loop with XLA, on TensorFlow and on JAX, and runs it in
    batches. The result of a row depends on its prompt and its seed alone.

    Args:
        model: A step model with the input `tokens`, its states and the output
            `logits`, such as `kerasseq.models.language_model`.
        max_length: Integer. Maximum number of tokens, including the prompt.
        **options: Other arguments of `kerasseq.decoding.sample`: `temperature`,
            `top_k` and so on.

    Call arguments:
        inputs: Dict of `prompt`, int32 of shape `(batch_size, prompt_length)`, padded
            with -1 on the right, and `seed`, int32 of shape `(batch_size,)`.
            Nothing is written for a prompt with ids outside the vocabulary: all tokens
            are padding, and the score is minus infinity.

    Output shape:
        A dict as `kerasseq.decoding.sample` returns.

    Example:
        >>> generator = kerasseq.decoding.Generator(model, 100, temperature=0.8)
        >>> generator.predict({"prompt": prompt, "seed": np.arange(len(prompt))})
    """

    def __init__(self, model, max_length, **options):
        super().__init__()
        models.state_names(model)  # rejects other models
        self.model = model
        self.max_length = max_length
        self.options = options
        self.compile(jit_compile=True)

    def call(self, inputs):
        prompt, seed = (ops.cast(inputs[x], "int32") for x in ("prompt", "seed"))
        names = models.state_names(self.model)

        def step(tokens, states):
            inputs = {"tokens": tokens[:, None]} | dict(zip(names, states, strict=True))
            outputs = self.model(inputs, training=False)
            states = [
                ops.cast(outputs[name], state.dtype)
                for name, state in zip(names, states, strict=True)
            ]
            return outputs["logits"][:, 0], None, states

        states = []
        for name in names:
            tensor = self.model.input[name]
            shape = (ops.shape(prompt)[0], *tensor.shape[1:])
            states.append(ops.zeros(shape, tensor.dtype))
        outside = self._outside(prompt)
        known = ops.where(ops.expand_dims(outside, 1), 0, prompt)
        found = sampling.sample(
            step, known, states, self.max_length, seed, **self.options
        )
        padding = ops.zeros_like(found["tokens"]) + self.options.get("pad_id", -1)
        return {
            "tokens": ops.where(ops.expand_dims(outside, 1), padding, found["tokens"]),
            "scores": ops.where(outside, -float("inf"), found["scores"]),
        }

    def _outside(self, prompt):
        """Which prompts have an id that is neither in the vocabulary nor padding."""
        size = self.model.output["logits"].shape[-1]
        known = ops.logical_and(prompt >= 0, prompt < size)
        known = ops.logical_or(known, ops.equal(prompt, self.options.get("pad_id", -1)))
        return ops.logical_not(ops.all(known, axis=1))


def generation_signatures(
    model, prompt_length, max_length, prefill_length=None, **options
):
    """Signatures for text generation in an app, with static shapes and batch size 1.

    `generate` does the whole job in one call: it takes a prompt of at most
    `prompt_length` ids, padded with -1, and a seed, and returns `tokens` and `scores`.
    With `step` an app can sample by itself, and with `prefill` read a long prompt in
    fewer calls: it takes and returns what `step` does, of several tokens at once.

    Args:
        model: A step model, see `Generator`.
        prompt_length: Integer. Maximum number of tokens of a prompt.
        max_length: Integer. Maximum number of tokens, including the prompt.
        prefill_length: Integer, the tokens of each call of `prefill`; no such
            signature by default.
        **options: Other arguments of `kerasseq.decoding.sample`.

    Returns:
        `{name: (function, {input: (shape, dtype)})}`, see `kerasseq.export`.

    Raises:
        ValueError: If `prefill_length` is below 1.
    """
    if prefill_length is not None and prefill_length < 1:
        raise ValueError(
            "`prefill_length` must be positive, or `None` for no `prefill`. "
            f"Received: prefill_length={prefill_length}"
        )
    generator = Generator(model, max_length, **options)

    def generate(prompt, seed):
        return generator.call({"prompt": prompt, "seed": seed})

    specs = {"prompt": ((1, prompt_length), "int32"), "seed": ((1,), "int32")}
    signatures = _step_signature.step_signature(model) | {"generate": (generate, specs)}
    if prefill_length is None:
        return signatures
    return signatures | _step_signature.step_signature(
        model, length=prefill_length, name="prefill"
    )
