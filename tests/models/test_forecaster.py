import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import models

LOOK_BACK, HORIZON, COLUMNS = 12, 3, 3
HISTORY = (
    np.random.default_rng(0).normal(size=(4, LOOK_BACK, COLUMNS)).astype("float32")
)
KINDS = ("linear", "nlinear", "dlinear", "patch_transformer", "seq2seq", "gru", "cnn")
SIZES = {"units": 8, "patch_length": 4, "patch_stride": 2, "kernel_size": 5}


def build(arch="dlinear", **options):
    options = SIZES | {"seed": 0} | options
    return models.forecaster(LOOK_BACK, HORIZON, COLUMNS, arch, **options)


def run(model, history=HISTORY, **others):
    return ops.convert_to_numpy(model({"history": history} | others))


class TestBasics:
    @pytest.mark.parametrize("arch", KINDS)
    def test_shapes(self, arch):
        assert run(build(arch)).shape == (4, HORIZON, COLUMNS)
        assert run(build(arch, num_quantiles=2)).shape == (4, HORIZON, COLUMNS, 2)
        calendar = np.zeros((4, LOOK_BACK + HORIZON, 5), "float32")
        model = build(arch, num_calendar=5)
        assert run(model, calendar=calendar).shape == (4, HORIZON, COLUMNS)

    def test_all_kinds_of_encoders_are_known(self):
        kinds = models.forecaster_kinds()
        assert {*KINDS, "bilstm", "transformer", "mlp"} <= {*kinds}
        assert run(build("bigru")).shape == run(build("mlp")).shape

    def test_covariates(self):
        assert run(build("gru", num_targets=2)).shape == (4, HORIZON, 2)

    def test_the_recurrent_encoder_has_its_name(self):
        for arch in ("gru", "seq2seq"):
            assert build(arch).get_layer("encoder").cell == "gru"

    def test_seed_makes_equal_weights(self):
        weights = build("gru").get_weights(), build("gru").get_weights()
        for a, b in zip(*weights, strict=True):
            np.testing.assert_array_equal(a, b)


class TestNumbers:
    @pytest.mark.parametrize("arch", KINDS)
    def test_a_batch_of_one_is_as_a_row_of_many(self, arch):
        """As many quantiles as targets and steps: Keras takes some sums for biases."""
        options = {"instance_normalization": "standard", "num_calendar": 2}
        model = build(arch, num_quantiles=3, **options)
        shape = (4, LOOK_BACK + HORIZON, 2)
        calendar = np.random.default_rng(1).normal(size=shape).astype("float32")
        many = run(model, 5 + HISTORY * [1, 2, 3], calendar=calendar)
        for row in range(4):
            one = slice(row, row + 1)
            history = 5 + HISTORY[one] * [1, 2, 3]
            found = run(model, history, calendar=calendar[one])
            np.testing.assert_allclose(found, many[one], atol=1e-5)

    @pytest.mark.parametrize("arch", KINDS)
    def test_quantiles_ascend(self, arch):
        found = run(build(arch, num_quantiles=4, instance_normalization="last"))
        assert (np.diff(found, axis=-1) > 0).all()

    @pytest.mark.parametrize("arch", KINDS)
    def test_a_forecast_follows_level_and_scale_of_the_history(self, arch):
        level, scale = np.array([100, -7, 0]), np.array([3, 0.5, 1])
        moved = level + scale * HISTORY
        model = build(arch, instance_normalization="standard")
        expected = level + scale * run(model)
        np.testing.assert_allclose(run(model, moved), expected, rtol=1e-3, atol=1e-3)
        model = build(arch, instance_normalization="last")
        expected = level + run(model)
        np.testing.assert_allclose(run(model, level + HISTORY), expected, atol=1e-3)

    @pytest.mark.parametrize(
        "arch", ["linear", "nlinear", "dlinear", "patch_transformer"]
    )
    def test_each_column_is_forecast_from_its_own_past(self, arch):
        model, other = build(arch), HISTORY.copy()
        other[:, :, 1] += 1
        before, after = run(model), run(model, other)
        np.testing.assert_allclose(after[..., ::2], before[..., ::2], atol=1e-6)
        swapped = run(model, HISTORY[..., ::-1])
        np.testing.assert_allclose(swapped, before[..., ::-1], atol=1e-6)

    def test_the_last_values_go_on_where_a_linear_model_of_them_is_zero(self):
        model = build("nlinear")
        model.set_weights([0 * w for w in model.get_weights()])
        expected = np.repeat(HISTORY[:, -1:], HORIZON, axis=1)
        np.testing.assert_allclose(run(model), expected, atol=1e-6)

    def test_the_future_calendar_counts(self):
        model = build("nlinear", num_calendar=1)
        calendar = np.zeros((4, LOOK_BACK + HORIZON, 1), "float32")
        before = run(model, calendar=calendar)
        calendar[:, LOOK_BACK + 1] = 1
        moved = np.abs(run(model, calendar=calendar) - before).max((0, 2))
        assert moved[1] > 0 and moved[0] == moved[2] == 0

    def test_learns_a_season_under_xla(self):
        series = np.sin(np.arange(200) * np.pi / 3)[:, None].astype("float32")
        rows = np.arange(150)[:, None] + np.arange(15)
        x, y = series[rows[:, :12]], series[rows[:, 12:]]
        model = models.forecaster(12, 3, 1, "gru", units=16, seed=0)
        model.compile(keras.optimizers.Adam(0.02), "mse", jit_compile=True)
        model.fit({"history": x}, y, epochs=25, verbose=0)
        assert model.evaluate({"history": x}, y, verbose=0) < 0.02


class TestErrors:
    @pytest.mark.parametrize(
        "options, message",
        [
            ({"arch": "lstn"}, "`arch` must be one of linear, .*lstm.*arch='lstn'"),
            ({"num_quantiles": 0}, "positive.*num_quantiles=0"),
            ({"num_targets": 4}, "columns of the history.*num_targets=4"),
            ({"num_targets": 2}, "reads no covariates.*num_targets=2"),
            ({"kernel_size": 4}, "odd.*kernel_size=4"),
            ({"instance_normalization": "batch"}, "'batch'"),
            ({"arch": "patch_transformer", "patch_stride": 3}, "patch_stride=3"),
            ({"arch": "patch_transformer", "patch_length": 14}, "look_back=12"),
            ({"arch": "gru", "units": 0}, "units=0"),
            (
                {"arch": "patch_transformer", "num_heads": 3, "units": 10},
                "`num_heads` must divide `units`. Received: num_heads=3, units=10",
            ),
            ({"arch": "transformer", "num_heads": 2, "units": 6}, "even.*units=6"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            build(**options)

    def test_bad_sizes(self):
        with pytest.raises(ValueError, match="horizon=0"):
            models.forecaster(5, 0, 2)
