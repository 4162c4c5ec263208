"""The stack of blocks: its states, its arguments, and what is made of it by name."""

import keras
import numpy as np
import pytest

from kerasseq import layers, models

UNITS, LENGTH = 8, 7
INPUTS = np.random.default_rng(0).normal(size=(2, LENGTH, UNITS)).astype("float32")


@pytest.fixture(params=layers.BLOCKS)
def cell(request):
    return request.param


def stack(cell, **options):
    keras.utils.set_random_seed(1)
    return layers.ResidualStack(UNITS, 2, cell, return_state=True, **options)


def zeros(model, batch_size):
    """The states of a step model at the start."""
    shapes = {name: model.input[name].shape[1:] for name in models.state_names(model)}
    return {name: np.zeros((batch_size, *x), "float32") for name, x in shapes.items()}


class TestNumbers:
    @pytest.mark.parametrize("lengths", [[3, 4], [1] * LENGTH])
    def test_chunks_equal_the_whole(self, cell, lengths):
        layer = stack(cell)
        expected, *final = layer(INPUTS)
        states, found = layer.get_initial_state(2), []
        for part in np.split(INPUTS, np.cumsum(lengths)[:-1], axis=1):
            outputs, *states = layer(part, initial_state=states)
            found.append(outputs)
        found = np.concatenate(found, axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        for one, other in zip(states, final, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)

    def test_step(self, cell):
        layer = stack(cell)
        expected = layer(INPUTS)[0]
        states = layer.get_initial_state(2)
        for time in range(LENGTH):
            outputs, states = layer.step(INPUTS[:, time], states)
        np.testing.assert_allclose(outputs, expected[:, -1], atol=1e-5)

    @pytest.mark.parametrize("cell", ["s4d", "mamba", "mamba2"])
    def test_is_the_sum_of_its_blocks(self, cell):
        layer = layers.ResidualStack(UNITS, 2, cell)
        outputs, x = layer(INPUTS), INPUTS
        for block, norm in zip(layer.blocks, layer.norms, strict=True):
            x = x + block(norm(x))[0]
        np.testing.assert_allclose(outputs, layer.final_norm(x), atol=1e-6)

    def test_padding_on_the_right_changes_nothing_before_it(self, cell):
        layer, other = stack(cell), INPUTS.copy()
        other[:, 4:] = 9.0
        before, after = layer(INPUTS)[0], layer(other)[0]
        np.testing.assert_allclose(before[:, :4], after[:, :4], atol=1e-6)
        assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3

    def test_in_half_precision_states_are_float32(self, cell):
        layer = stack(cell, dtype="mixed_float16")
        layer(INPUTS)
        # More than float16 holds.
        states = [
            keras.ops.full_like(x, 1e5) if "float32" in str(x.dtype) else x
            for x in layer.get_initial_state(2)
        ]
        assert any("float32" in str(x.dtype) for x in states)
        _, *final = layer(INPUTS[:, :1] * 0, initial_state=states)
        assert [x.dtype for x in final] == [x.dtype for x in states]
        for state in final[: len(final) // 2]:  # the first block's
            assert np.isfinite(state).all()


class TestModels:
    def test_language_model(self, cell):
        model = models.language_model(11, cell=cell, embedding_dim=UNITS, num_layers=1)
        tokens = np.arange(10).reshape(2, 5)
        names = models.state_names(model)
        outputs = model({"tokens": tokens} | zeros(model, 2))
        assert outputs["logits"].shape == (2, 5, 11)
        assert len(names) == len(model.get_layer("body").state_size)

    def test_streaming(self, cell):
        sizes = {"embedding_dim": 6, "units": UNITS}
        model = models.tagger(20, 3, arch=cell, num_layers=2, **sizes)
        words = np.random.default_rng(0).integers(1, 20, (1, LENGTH))
        expected = model({"words": words})
        step_model = models.streaming_model(model)
        states = zeros(step_model, 1)
        for time in range(LENGTH):
            inputs = {"words": words[:, time : time + 1]} | states
            states = step_model.predict(inputs, verbose=0)
            logits = states.pop("outputs")
            np.testing.assert_allclose(logits[:, 0], expected[:, time], atol=1e-5)


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"cell": "lstm"}, "`cell` must be one of .*mamba.*cell='lstm'"),
            ({"num_layers": 0}, "num_layers=0"),
            ({"dropout": 1}, "dropout=1"),
        ],
    )
    def test_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            layers.ResidualStack(UNITS, **options)

    def test_other_features_and_states(self):
        with pytest.raises(ValueError, match="axis -1"):
            layers.ResidualStack(4)(INPUTS)
        with pytest.raises(ValueError, match="takes 2 initial states"):
            layers.ResidualStack(UNITS)(INPUTS, initial_state=[np.zeros((2, 4))])
        with pytest.raises(ValueError, match="return_state=True"):
            layers.ResidualStack(UNITS).step(INPUTS[:, 0], [])

    def test_a_step_without_states(self, cell):
        with pytest.raises(ValueError, match="return_state=True"):
            layers.BLOCKS[cell].layer(UNITS).step(INPUTS[:, 0], [])

    def test_cells_of_a_language_model(self):
        with pytest.raises(ValueError, match="lstm.*mamba.*cell='nothing'"):
            models.language_model(9, cell="nothing")
        with pytest.raises(ValueError, match="not both"):
            models.language_model(9, stack("mamba"), cell="mamba")
