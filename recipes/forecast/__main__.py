"""Train a forecaster of series, export it, forecast with the exported file.

What: a Transformer over patches of each series (`kerasseq.models.forecaster`), or with
`--arch` a linear model, a recurrent or convolutional network, that reads the last rows
and returns the next ones with an interval. Time: 2 minutes on two CPU cores for the
generated series. Score: a scaled MSE of 0.066 on unseen rows (repeating the last day:
0.238), 79 % of the values inside an interval of 80 %. Size: 0.7 MB.

    python -m recipes.forecast                          # three hourly series
    python -m recipes.forecast --data sales.csv --targets sales --covariates price \\
        --arch gru --look_back 56 --horizon 14 --output_dir saved_models/sales
    python -m recipes.forecast --data many.csv          # unique_id, ds, y
    python -m recipes.forecast --data ETTh1.csv --split 8640,2880,2880 --arch nlinear \\
        --look_back 336 --horizon 96 --quantiles=
    python -m recipes.forecast --from saved_models/sales --history new.csv

`sales.csv` has a column of dates and a column of numbers for each series. With
`--history` it prints the forecast of what comes after the rows of a file and writes
`forecast.csv`, with the file of `--from`, else that of the last run, else the published
one, and needs no training.

Writes to `saved_models/forecast/`: `model.tflite` (signature `serve`: rows in, rows
out, in the units of the data; names, frequency and card are packed into it, scale and
calendar are in the graph; of a model that reads forward also `step`), `saved_model/`,
`model.keras`, `report.json`, `report.html`, `card.json`, `history.csv`,
`forecasts.png` and `steps.png`; with `--web` also `web/`, a page.
"""

import sys

import kerasseq
from recipes.forecast import data as forecast_data
from recipes.forecast import evaluate as forecast_evaluate
from recipes.forecast import model as forecast_model
from recipes.forecast import plots as forecast_plots
from recipes.forecast import signatures as forecast_signatures
from recipes.forecast import use_file as forecast_file
from recipes.shared import (
    artifacts,
    command_line,
    dry_run,
    optimizer_flags,
    quantization_flags,
    run_folder,
    training_run,
    web_page,
)


def define_flags():
    """The flags of this recipe."""
    flags = command_line.new_flags("forecast", epochs=10, batch_size=32)
    forecast_data.define_flags(flags)
    forecast_model.define_flags(flags)
    quantization_flags.define_flags(flags)
    define = command_line.definer(flags, "export")
    text = "Origins of the test part whose forecasts are in the report."
    define("integer", "backtest", 8, text, **command_line.COUNT)
    forecast_file.define_flags(flags)
    web_page.define_flags(flags)
    return flags


def check(flags):
    """Refuses flags that do not go together, before any work is done.

    Raises:
        ValueError: naming the flag.
    """
    forecast_model.check(flags)
    optimizer_flags.check(flags)
    quantization_flags.check(flags)
    web_page.check(flags)


def load_data(flags, run_dir):
    """Loads, splits and scales the series, and cuts them into windows."""
    del run_dir  # nothing about the data is kept
    return forecast_data.load(flags)


def build_model(flags, data):
    """Builds and compiles the model."""
    model = forecast_model.build(flags, data)
    forecast_model.compile_model(flags, model, len(data["train"]))
    print(f"model: {flags.arch}, {model.count_params():,} parameters")
    return model


def train(flags, model, data, run_dir):
    """Fits the model, resuming if asked; returns a `Training`."""
    return training_run.train(flags, model, data, run_dir, "val_loss")


def evaluate(flags, model, data):
    """Scores the model on the test part with Keras, beside repeating what was."""
    return forecast_evaluate.evaluate(flags, model, data)


def export(flags, model, data, training, results, run_dir):
    """Exports, compares with Keras, and publishes all files at once."""
    del run_dir  # all is in memory
    whole = forecast_signatures.inference_model(model, data)
    with artifacts.artifact_dir(flags.output_dir) as folder:
        report = kerasseq.export.export_model(
            whole,
            folder,
            **forecast_signatures.export_options(flags, model, data),
            card={
                "task": "forecast",
                "data": data["series"].name,
                "metrics": results["scores"],
                "training": training.facts,
            },
        )
        forecast_evaluate.verify_all(flags, whole, data, report, folder, results)
        whole.save(folder / "model.keras")
        artifacts.write(
            folder,
            report,
            flags=flags,
            recipe="forecast",
            settings=data["settings"],
            history=training.history,
            warnings=results["warnings"],
            files=forecast_data.app_files(flags, data),
            samples=forecast_evaluate.backtest(flags, data, whole),
            pictures=forecast_plots.draw(flags, whole, data, results, folder),
        )
        shown = forecast_evaluate.page_samples(data, folder) if flags.web else []
        web_page.add(flags, "forecast", folder, shown)
    return report


def main(flags):
    """Runs the whole job, or forecasts with its result."""
    if flags.history is not None or flags["from"].value is not None:
        forecast_file.use_file(flags)
        return
    check(flags)
    with run_folder.opened(flags) as run_dir:
        data = load_data(flags, run_dir)
        model = build_model(flags, data)
        if flags.dry_run:
            dry_run.show(flags, model, data)
            return
        training = train(flags, model, data, run_dir)
        results = evaluate(flags, model, data)
        if not artifacts.exports_here(flags, model):
            return
        export(flags, model, data, training, results, run_dir)
        artifacts.print_folder(flags.output_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(main, define_flags(), __doc__))
