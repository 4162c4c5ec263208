import numpy as np
import pytest

from kerasseq import decoding, models, training

SIZES = {"hidden_dim": 16, "num_heads": 2, "mlp_dim": 24, "max_length": 12}


@pytest.fixture(scope="module")
def copier():
    """A model that has learned to repeat its source, and sources."""
    generator = np.random.default_rng(0)
    source = generator.integers(4, 9, (256, 4)).astype("int32")
    source = np.pad(source, ((0, 0), (0, 1)), constant_values=3)
    target = np.pad(source[:, :-1], ((0, 0), (1, 0)), constant_values=2)
    model = models.transformer(9, **SIZES, num_layers=1, dropout=0.0, seed=0)
    model.compile("adam", training.SmoothedCrossEntropy(), jit_compile=True)
    model.optimizer.learning_rate = 0.01
    model.fit({"source": source, "target": target}, source, epochs=40, verbose=0)
    return model, source


@pytest.mark.parametrize("beam_size", [None, 3])
def test_learns_to_copy_and_searches_with_its_cache(copier, beam_size):
    model, source = copier
    translator = decoding.Translator(model, 6, beam_size)
    tokens = translator.predict(source[:64], verbose=0)["tokens"]
    best = tokens if beam_size is None else tokens[:, 0]
    assert np.mean(np.all(best[:, :5] == source[:64], axis=1)) > 0.95


def test_steps_give_the_logits_of_the_whole(copier):
    model, source = copier
    target = np.pad(source[:3, :-1], ((0, 0), (1, 0)), constant_values=2)
    expected = np.asarray(model({"source": source[:3], "target": target}))
    context, states = models.seq2seq_encode(model, source[:3], max_length=5)
    for time in range(5):
        logits, _, states = models.seq2seq_step(model, target[:, time], states, context)
        np.testing.assert_allclose(logits, expected[:, time], atol=1e-5)


def test_published_size():
    """The base model of Vaswani et al. (2017), table 3: 65 million weights."""
    model = models.transformer(
        37000, hidden_dim=512, num_layers=6, num_heads=8, mlp_dim=2048, norm_first=False
    )
    embeddings, attention = 37000 * 512, 4 * (512 * 512 + 512)
    feed_forward, norm = 2 * 512 * 2048 + 2048 + 512, 2 * 512
    encoder = 6 * (attention + feed_forward + 2 * norm)
    decoder = 6 * (2 * attention + feed_forward + 3 * norm)
    assert model.count_params() == embeddings + encoder + decoder
    assert round(model.count_params() / 1e6) in (63, 65)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"hidden_dim": 18, "num_heads": 4}, "divide the features"),
        ({"hidden_dim": 0}, "hidden_dim=0"),
        ({"positions": "unknown"}, "positions='unknown'"),
        ({"positions": None}, "positions=None"),
        ({"target_vocabulary_size": 7}, "Tied embeddings"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        models.transformer(9, **SIZES | options)
