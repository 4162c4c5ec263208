import keras
import numpy as np
import pytest

from kerasseq import export, layers, lite
from tests.export import tagger


def exported(folder, cell, **options):
    model = tagger.build(cell)
    report = export.export_model(model, folder, samples=tagger.SAMPLES, **options)
    return model, folder, report["artifacts"][0]


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fused")
    return exported(folder, layers.LSTM, loop_strategy="fused")


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    return exported(tmp_path_factory.mktemp("auto"), layers.LSTM)


class TestBasics:
    def test_fused_is_one_op_a_direction(self, fused):
        _, _, entry = fused
        assert entry["ops"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 3
        assert "WHILE" not in entry["ops"]
        assert (entry["lowering"], entry["lowerings"]) == ("fused", {})
        assert not entry["dynamic_shapes"]

    def test_auto_takes_the_fastest(self, chosen):
        _, _, entry = chosen
        measured = entry["lowerings"]
        assert list(measured) == ["while", "fused", "unrolled"]
        best = measured[entry["lowering"]]
        faster = [m for m in measured.values() if m["latency_ms"] < best["latency_ms"]]
        assert all(m["bytes"] > 1.1 * measured["while"]["bytes"] for m in faster)
        assert best["bytes"] == entry["bytes"]

    @pytest.mark.parametrize(
        "loop_strategy", ["while", pytest.param("unrolled", marks=pytest.mark.slow)]
    )
    def test_gru(self, loop_strategy, tmp_path):
        _, _, entry = exported(tmp_path, layers.GRU, loop_strategy=loop_strategy)
        assert entry["ops"].get("WHILE", 0) == (3 if loop_strategy == "while" else 0)
        assert entry["lowering"] == loop_strategy
        assert entry["max_abs_diff"] < 1e-5

    def test_the_buffer_of_a_loop_is_a_copy(self, tmp_path):
        """BROADCAST_TO, value by value, took a tenth of a layer's time."""
        x = keras.Input((10, 3))
        model = keras.Model(x, layers.LSTM(4, return_sequences=True)(x))
        report = export.export_model(model, tmp_path, loop_strategy="while")
        ops = report["artifacts"][0]["ops"]
        assert ops["WHILE"] == 1 and "BROADCAST_TO" not in ops

    def test_model_without_loops_has_no_loop_strategy(self, tmp_path):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        entry = export.export_model(model, tmp_path)["artifacts"][0]
        assert (entry["lowering"], entry["lowerings"]) == (None, {})

    def test_states_and_short_loops(self, tmp_path):
        x = keras.Input((3, 4), name="x")
        outputs = keras.layers.Concatenate()(layers.LSTM(8, return_state=True)(x))
        model = keras.Model(x, outputs)
        entry = export.export_model(model, tmp_path)["artifacts"][0]
        assert list(entry["lowerings"]) == ["while", "unrolled"]


class TestNumbers:
    def test_each_run_starts_anew(self, fused):
        model, folder, _ = fused
        runner = lite.Runner(folder / "model.tflite")
        for case in 2 * tagger.SAMPLES["serve"]:
            received = runner.run(**case)["y"]
            np.testing.assert_allclose(received, model(case["ids"]), atol=1e-5)

    def test_two_readers_of_one_state(self, tmp_path):
        x = keras.Input((5, 4), name="x")
        state = keras.layers.Dense(3)(x[:, 0])
        left, right = (
            layers.LSTM(3, return_sequences=True)(x, initial_state=[state, state])
            for _ in range(2)
        )
        model = keras.Model(x, keras.layers.Concatenate(name="y")([left, right]))
        report = export.export_model(model, tmp_path, loop_strategy="fused")
        assert report["artifacts"][0]["ops"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 2
        runner = lite.Runner(tmp_path / "model.tflite")
        x = np.random.default_rng(0).normal(size=(1, 5, 4)).astype("float32")
        for _ in range(2):
            np.testing.assert_allclose(runner.run(x=x)["y"], model(x), atol=1e-5)


class TestErrors:
    def test_unknown_loop_strategy(self, tmp_path):
        with pytest.raises(ValueError, match="`loop_strategy` must be one of.*'fast'"):
            export.export_model(
                tagger.build(layers.LSTM), tmp_path / "a", loop_strategy="fast"
            )

    def test_left_padding(self, tmp_path):
        samples = {"serve": tagger.padded(tagger.TIME, 4, left=True)}
        with pytest.raises(ValueError, match='padded on the right.*"while"'):
            export.export_model(
                tagger.build(layers.LSTM),
                tmp_path / "a",
                loop_strategy="fused",
                samples=samples,
            )
        assert list(tmp_path.iterdir()) == []

    def test_auto_does_not_fuse_what_is_padded_on_the_left(self, tmp_path):
        samples = {"serve": tagger.padded(tagger.TIME, 4, left=True)}
        model = tagger.build(layers.LSTM)
        entry = export.export_model(model, tmp_path, samples=samples)["artifacts"][0]
        assert entry["lowering"] == "while"
        assert entry["max_abs_diff"] < 1e-5
