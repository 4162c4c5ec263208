"""The forecasting recipe: tiny runs, the use of their files, bad input."""

import csv
import json

import bare_process
import numpy as np
import pytest

from kerasseq import lite
from kerasseq.lite import packed_files
from recipes.forecast import __main__ as forecast
from recipes.forecast import data as forecast_data
from recipes.forecast import evaluate as forecast_evaluate
from recipes.forecast import scores
from recipes.shared import command_line

ARTIFACTS = ("saved_model", "model.tflite", "model.keras", "history.csv")
ARTIFACTS += ("report.json", "report.html", "card.json", "forecasts.png", "steps.png")
TINY = ["--epochs=2", "--units=8", "--num_layers=1", "--batch_size=8", "--dropout=0"]
TINY += ["--warmup_steps=2", "--look_back=21", "--horizon=7", "--learning_rate=0.01"]
NUM_DAYS = 200


def run(*arguments):
    flags = forecast.define_flags()
    return command_line.run(forecast.main, flags, "", [str(x) for x in arguments])


def read(path):
    return json.loads(path.read_text())


def days():
    return np.datetime64("2023-01-01") + np.arange(NUM_DAYS)


def values(level=0.0, scale=1.0):
    """A weekly season with noise."""
    noise = np.random.default_rng(0).normal(0, 0.2, NUM_DAYS)
    return level + scale * (np.sin(np.arange(NUM_DAYS) * 2 * np.pi / 7) + noise)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "wide.csv"
    rows = zip(days(), values(50, 5), values(-3), strict=True)
    lines = [f"{day},{a:.4f},{b:.4f},x" for day, a, b in rows]
    path.write_text("\n".join(["date,sales,price,note", *lines]))
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "long.csv"
    lines = ["unique_id,ds,y"]
    for name, series in (("small", values()), ("large", values(1e4, 2e3))):
        rows = zip(days(), series, strict=True)
        lines += [f"{name},{day},{value:.4f}" for day, value in rows]
    path.write_text("\n".join(lines))
    return path


KINDS = {
    "gru": ["--arch=gru", "--covariates=price", "--quantize=float16"]
    + ["--instance_normalization=none"],
    "dlinear": ["--arch=dlinear", "--kernel_size=7", "--quantiles=", "--loss=mae"],
}


@pytest.fixture(scope="module")
def folders(wide, tmp_path_factory):
    found = {}
    for name, arguments in KINDS.items():
        found[name] = tmp_path_factory.mktemp(name)
        given = [*TINY, *arguments, f"--data={wide}", f"--output_dir={found[name]}"]
        assert run(*given) == 0
    return found


def test_everything_is_written(folders):
    for folder in folders.values():
        for name in ARTIFACTS:
            assert (folder / name).exists(), name
        for path in folder.glob("*.tflite"):
            assert {*packed_files.names(path)} == {"series.json", "card.json"}
    assert (folders["gru"] / "model_float16.tflite").exists()


def test_report_of_quantiles_and_covariates(folders):
    report = read(folders["gru"] / "report.json")
    tflite, half, _ = report["artifacts"]
    assert report["task"] == "forecast" and report["training"]["compiles"] == 2
    assert tflite["flex_ops"] == [] and not tflite["dynamic_shapes"]
    metrics = tflite["metrics"]
    assert metrics["max_difference"] < 1e-4 < half["metrics"]["max_difference"] < 0.1
    assert 0 <= metrics["coverage"] <= 1 and metrics["coverage_expected"] == 0.8
    assert metrics["values_below_quantile"].keys() == {"0.1", "0.5", "0.9"}
    assert metrics["file_mse"] == pytest.approx(metrics["mse"], rel=1e-3)
    assert {"seasonal_naive_mse", "last_value_mae", "raw_mae"} <= metrics.keys()
    forecaster = lite.Forecaster(folders["gru"])
    assert forecaster.columns == ["sales", "price"] and forecaster.targets == ["sales"]
    assert forecaster.quantiles == [0.1, 0.5, 0.9]
    assert forecaster.frequency == ("day", 1)
    found = forecaster(np.stack([values(50, 5), values(-3)], -1), time=days()[-1])
    assert found.shape == (7, 1, 3) and (np.diff(found) > 0).all()
    assert 35 < found.mean() < 65  # raw units


def test_row_by_row(folders):
    forecaster = lite.Forecaster(folders["gru"])
    history = np.stack([values(50, 5), values(-3)], -1)[-forecaster.look_back :]
    times = days()[-forecaster.look_back :]
    stream = forecaster.stream()
    for _ in range(2):
        for row, time in zip(history, times, strict=True):
            found = stream(row, time)
        expected = forecaster(history, times[-1])
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        stream.reset()
    with pytest.raises(ValueError, match="2 columns sales, price"):
        stream([1.0])
    with pytest.raises(ValueError, match="date of the last row"):
        stream(history[0])
    with pytest.raises(ValueError, match="--instance_normalization=none"):
        lite.Forecaster(folders["dlinear"]).stream()


def test_report_of_one_value(folders):
    metrics = read(folders["dlinear"] / "card.json")["metrics"]
    assert "coverage" not in metrics and metrics["max_difference"] < 1e-4
    assert metrics["raw_mae_by_target"].keys() == {"sales", "price"}
    forecaster = lite.Forecaster(folders["dlinear"])
    assert forecaster.quantiles == [] and forecaster.series == []
    history = np.stack([values(50, 5), values(-3)], -1)
    assert forecaster(history).shape == (7, 2)  # no date is needed


def test_the_file_scores_what_its_card_says(folders, wide):
    path = folders["gru"] / "model.tflite"
    card = lite.Forecaster(path).card
    flags = forecast.define_flags()
    flags(["recipe", *TINY, *KINDS["gru"], f"--data={wide}"])
    found = forecast_evaluate.published_score(path, flags)
    assert found["metric"] == "file_mse" and found["rows"] == card["metrics"]["windows"]
    assert found["value"] == pytest.approx(card["metrics"]["file_mse"], rel=1e-5)


def test_forecasts_a_file_without_tensorflow_or_keras(folders, wide, tmp_path):
    arguments = ("--from", folders["gru"], "--history", wide, "--output_dir", tmp_path)
    out, seconds = bare_process.run("recipes.forecast", *arguments)
    assert seconds < 5 and out.endswith(f"Written to {tmp_path / 'forecast.csv'}\n")
    with open(tmp_path / "forecast.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [*rows[0]] == ["date", "sales 0.1", "sales 0.5", "sales 0.9"]
    assert rows[0]["date"] == "2023-07-20" and len(rows) == 7
    history = np.stack([values(50, 5), values(-3)], -1)
    found = lite.Forecaster(folders["gru"])(history.round(4), days()[-1])
    written = [[float(row[f"sales {x}"]) for x in (0.1, 0.5, 0.9)] for row in rows]
    np.testing.assert_allclose(written, found[:, 0], rtol=1e-4)


@pytest.mark.parametrize(
    "per_series", [True, pytest.param(False, marks=pytest.mark.slow)]
)
def test_several_series(long, per_series, tmp_path, capsys):
    arguments = ["--arch=linear", f"--data={long}", f"--output_dir={tmp_path}"]
    arguments += ["--epochs=15", "--quantiles=", f"--scale_per_series={per_series}"]
    assert run(*TINY, *arguments) == 0
    metrics = read(tmp_path / "card.json")["metrics"]
    assert metrics["max_difference"] < 1e-3
    forecaster = lite.Forecaster(tmp_path)
    assert forecaster.series == (["small", "large"] if per_series else [])
    capsys.readouterr()
    assert run("--from", tmp_path, "--history", long) == 0
    *lines, _ = capsys.readouterr().out.splitlines()
    rows = [line.split("\t") for line in lines]
    assert rows[0] == ["unique_id", "date", "y"] and len(rows) == 15
    of_large = [float(row[2]) for row in rows if row[0] == "large"]
    of_small = [float(row[2]) for row in rows if row[0] == "small"]
    assert 5e3 < np.mean(of_large) < 15e3 and np.abs(of_small).max() < 4


@pytest.mark.slow
def test_a_finished_run_resumes_to_the_same_result(wide, tmp_path, capsys):
    arguments = [*TINY, *KINDS["gru"], f"--data={wide}", f"--output_dir={tmp_path}"]
    assert run(*arguments) == 0
    before = read(tmp_path / "report.json")["metrics"]
    assert run(*arguments, "--resume", "--quantize=") == 0
    assert "resumed after epoch 2" in capsys.readouterr().out
    assert read(tmp_path / "report.json")["metrics"] == pytest.approx(before)
    assert not (tmp_path / "model_float16.tflite").exists()
    assert run(*arguments, "--resume", "--horizon=6") == 2
    assert "horizon: 7 -> 6" in capsys.readouterr().err


def test_scores_by_hand():
    sums = scores.Sums()
    truth = np.array([[[1.0], [2.0]]])
    forecast = np.array([[[[0.0, 1.0, 4.0]], [[2.5, 3.0, 3.5]]]])
    for _ in range(2):
        sums.add(truth, forecast, np.array([[[10.0]]]), [0.1, 0.5, 0.9])
    found = sums.scores()
    assert (found["mse"], found["raw_mae"]) == (0.5, 5.0)
    found = sums.of_quantiles([0.1, 0.5, 0.9])
    assert found["coverage"] == 0.5
    assert found["values_below_quantile"] == {"0.1": 0.5, "0.5": 1, "0.9": 1}
    # 0.1, 0 and 0.3; 0.9 * 0.5, 0.5 and 0.1 * 1.5
    assert found["pinball"] == pytest.approx((0.1 + 0.3 + 0.45 + 0.5 + 0.15) / 6)
    assert sums.of_steps() == [0, 1]


def test_repeating():
    history = np.arange(6.0).reshape(1, 6, 1)
    assert scores.repeat(history, 1, (3, 1)).ravel().tolist() == [5, 5, 5]
    assert scores.repeat(history, 2, (3, 1)).ravel().tolist() == [4, 5, 4]


def test_a_model_no_better_than_repeating_is_reported():
    found = {"mse": 1.0, "last_value_mse": 2.0, "seasonal_naive_mse": 0.5}
    (sentence,) = forecast_evaluate._warnings(found)
    assert "an MSE of 1.0000; seasonal naive, 0.5000" in sentence
    assert not forecast_evaluate._warnings(found | {"mse": 0.4})


@pytest.mark.parametrize(
    "frequency, season",
    [
        (("minute", 60), 24),
        (("minute", 15), 96),
        (("day", 1), 7),
        (("month", 1), 12),
        (None, 1),
    ],
)
def test_season_by_the_frequency(frequency, season):
    flags = forecast.define_flags()
    flags(["recipe"])
    assert forecast_data._season(flags, frequency) == season


def test_short_data_have_short_windows(tmp_path, capsys):
    path = tmp_path / "short.csv"
    rows = zip(days()[:60], values()[:60], strict=True)
    path.write_text("date,y\n" + "".join(f"{day},{y:.3f}\n" for day, y in rows))
    flags = forecast.define_flags()
    flags(["recipe", f"--data={path}", "--arch=linear"])
    data = forecast_data.load(flags)
    assert (flags.horizon, flags.look_back) == (3, 19)
    assert len(data["train"]) and len(data["test"])
    assert "--look_back=19 in place of 168" in capsys.readouterr().out


BAD = {
    "--arch=lstn": "--arch is one of",
    "--cell=lstn": "--cell is one of",
    "--arch=dlinear --covariates=price": "another --arch, as gru. Received: --cov",
    "--arch=transformer --num_heads=3": "--num_heads must divide --units",
    "--arch=dlinear --kernel_size=4": "--kernel_size",
    "--arch=patch_transformer --patch_length=30 --patch_stride=15": "--patch_length",
    "--quantiles=0.1,0.9": "One of the quantiles is 0.5",
    "--quantiles=0.9,0.5": "ascending",
    "--quantiles=half": "--quantiles is a list of numbers",
    "--loss=mae": "leave --loss out",
    "--split=0.5,0.5": "--split",
    "--split=a,b,c": "--split is three numbers",
    "--split=150,40,40": "--split=150,40,40",
    "--targets=sails": "--targets=sails",
    "--look_back=190": "--look_back=190",
    "--calendar=day": "week, year",
    "--calendar=week --date_column=none": "no dates to read a calendar from",
    "--quantize=int4": "--quantize",
    "--data=absent.csv": "absent.csv",
    "--data=tfds:ett": "CSV files",
    "--data={ragged}": "line 3",
    "--data={missing}": "--fill=forward",
    "--batch_size=5000": "--batch_size=5000",
}


@pytest.fixture(scope="module")
def bad_data(wide, tmp_path_factory):
    folder, text = tmp_path_factory.mktemp("bad"), wide.read_text()
    changes = {"ragged": ("2023-01-02,", "2023-01-02"), "missing": (",x", ",")}
    for name, (old, new) in changes.items():
        (folder / name).write_text(text.replace(old, new, 1))
    lines = text.splitlines()
    lines[5] = lines[5].split(",")[0] + ",,1,x"
    (folder / "missing").write_text("\n".join(lines))
    return {name: folder / name for name in changes}


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_to_training(arguments, bad_data, wide, tmp_path, capsys):
    given = [
        *TINY,
        "--arch=gru",
        f"--data={wide}",
        *arguments.format(**bad_data).split(),
    ]
    assert run(*given, f"--output_dir={tmp_path}") == 2
    error = capsys.readouterr().err
    assert BAD[arguments] in error and error.startswith("error: "), error
    assert {path.name for path in tmp_path.iterdir()} <= {"run"}


def test_bad_use(folders, wide, long, tmp_path, capsys):
    short = tmp_path / "short.csv"
    short.write_text("\n".join(wide.read_text().splitlines()[:9]))
    hourly = tmp_path / "hourly.csv"
    rows = "".join(f"2024-01-01 {hour:02d}:00,1,2\n" for hour in range(24))
    hourly.write_text("date,sales,price\n" + rows)
    cases = {
        f"--history={short}": "at least 21 rows",
        f"--history={hourly}": "rows 1 days apart",
        f"--history={long}": "it lacks sales, price. Received",
        "": "--history",
        f"--history={wide} --horizon=3": "Received: --horizon=3",
    }
    for arguments, message in cases.items():
        assert run("--from", folders["gru"], *arguments.split()) == 2
        assert message in capsys.readouterr().err, arguments


@pytest.mark.slow
def test_the_default_run(tmp_path):
    assert run(f"--output_dir={tmp_path}") == 0
    metrics = read(tmp_path / "card.json")["metrics"]
    assert metrics["mse"] < 0.6 * metrics["seasonal_naive_mse"]
    assert 0.7 < metrics["coverage"] < 0.9 and metrics["max_difference"] < 1e-3
