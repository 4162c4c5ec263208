"""A learned token before a sequence, from which a classifier reads."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerasseq")
class ClassToken(keras.layers.Layer):
    """Puts one learned token before the tokens of a sequence.

        y = [x_class; x_1; ...; x_N]

    The encoder's output at the first place stands for the whole sequence.

    Args:
        initializer: Initializer of the token. Defaults to `"zeros"`, as in the
            authors' code.
        **kwargs: Other arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch_size, length, features)`. Masks are not
            supported: patches of an image are all there.

    Output shape:
        `(batch_size, length + 1, features)`.

    Raises:
        ValueError: for inputs that are not of rank 3.

    Example:
        >>> kerasseq.layers.ClassToken()(np.random.rand(32, 49, 64)).shape
        (32, 50, 64)

    Reference:
        Dosovitskiy et al. (2021), An Image is Worth 16x16 Words, equation 1.
    """

    def __init__(self, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(
                "`ClassToken` expects tokens of shape (batch_size, length, features). "
                f"Received: inputs of shape {tuple(input_shape)}"
            )
        self.token = self.add_weight(
            shape=(1, 1, input_shape[-1]), initializer=self.initializer, name="token"
        )

    def call(self, inputs):
        shape = (ops.shape(inputs)[0], 1, inputs.shape[-1])
        return ops.concatenate([ops.broadcast_to(self.token, shape), inputs], axis=1)

    def compute_output_shape(self, input_shape):
        batch_size, length, features = input_shape
        return batch_size, None if length is None else length + 1, features

    def get_config(self):
        initializer = keras.initializers.serialize(self.initializer)
        return {**super().get_config(), "initializer": initializer}
