import keras
import numpy as np

from kerasseq.training import token_metrics


class Batches(keras.utils.PyDataset):
    """Batches with 12, 2 and 1 real tokens."""

    def __init__(self):
        super().__init__()
        random = np.random.default_rng(0)
        self.logits = random.normal(size=(3, 4, 3, 5)).astype("float32")
        self.labels = random.integers(0, 5, (3, 4, 3)).astype("int32")
        self.weights = np.zeros((3, 4, 3), "float32")
        for batch, tokens in enumerate([12, 2, 1]):
            self.weights[batch].reshape(-1)[:tokens] = 1

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.logits[index], self.labels[index], self.weights[index]


def test_values_are_per_token_over_unequal_batches():
    data = Batches()
    inputs = keras.Input((3, 5))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    model.compile(loss=loss, weighted_metrics=token_metrics(), jit_compile=True)
    logs = model.evaluate(data, verbose=0, return_dict=True)

    log_probabilities = data.logits - np.log(np.exp(data.logits).sum(-1, keepdims=True))
    losses = -np.take_along_axis(log_probabilities, data.labels[..., None], -1)
    hits = data.logits.argmax(-1) == data.labels
    tokens = data.weights.sum()
    np.testing.assert_allclose(
        logs["cross_entropy"], (losses[..., 0] * data.weights).sum() / tokens, rtol=1e-5
    )
    np.testing.assert_allclose(
        logs["accuracy"], (hits * data.weights).sum() / tokens, rtol=1e-6
    )
    # Why models are not selected by `val_loss`: it is a mean of batch means.
    assert abs(logs["loss"] - logs["cross_entropy"]) > 0.01
