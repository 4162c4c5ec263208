"""What accuracy does a tagger of stock Keras lose when exported to an int8 file?

    python -m benchmarks.stock_tagger

A process with Keras alone trains a bidirectional LSTM tagger on Universal Dependencies
English-EWT and saves it. It is converted with `kerasseq.convert` and exported with
fused LSTMs as float32, dynamic-range and int8 files, and each file tags the whole dev
split. Takes six minutes of training and two of measuring on two cores.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from absl import flags as absl_flags

from benchmarks import conllu, machine
from recipes.shared import command_line

NUM_REPRESENTATIVE = 200


def define_flags():
    """Defines the flags of this benchmark."""
    flags = absl_flags.FlagValues()
    define = absl_flags.DEFINE_string
    define("data", "../shared/data/ewt", "Folder of the data.", flag_values=flags)
    define("work_dir", "saved_models/stock_tagger", "For models.", flag_values=flags)
    output = "benchmarks/results/stock_tagger.json"
    define("output", output, "Path of the results.", flag_values=flags)
    absl_flags.DEFINE_integer("epochs", 4, "Epochs.", lower_bound=1, flag_values=flags)
    absl_flags.DEFINE_bool("debug", False, "Show tracebacks.", flag_values=flags)
    return flags


def train(flags, folder):
    """Trains in another process, unless the folder already holds the model."""
    paths = [_data_file(flags, part) for part in ("train", "dev")]
    paths += [folder / "tagger.keras", folder / "vocabulary.json"]
    if not paths[-1].exists():
        module = ["-m", "benchmarks.stock_tagger_baseline"]
        command = [sys.executable, *module, *paths, flags.epochs]
        subprocess.run([*map(str, command)], check=True)
    return paths[-2], json.loads(paths[-1].read_text(encoding="utf-8"))


def _data_file(flags, part):
    path = pathlib.Path(flags.data) / f"en_ewt-ud-{part}.conllu"
    if not path.exists():
        raise ValueError(
            "The benchmark needs Universal Dependencies English-EWT; pass its folder "
            f"as --data. Received: no file {str(path)!r}"
        )
    return path


def rows(inputs):
    """The sentences as batches of one, as an app runs them."""
    count = len(next(iter(inputs.values())))
    return [{k: x[i : i + 1] for k, x in inputs.items()} for i in range(count)]


def accuracy(predicted, tags, weights):
    """Fraction of the words with the correct tag."""
    return float(np.sum((predicted == tags) * weights) / np.sum(weights))


def export(flags, model_path, representative, dev, folder):
    """Converts and exports; returns Keras' probabilities on dev and the report."""
    import keras

    from kerasseq import convert, export

    stock = keras.saving.load_model(model_path)
    model = convert.from_keras(stock)
    length = dev["words"].shape[1]

    def signatures(twin):
        specs = {name: ((1, length), "int32") for name in dev}
        return {"serve": (lambda **ids: {"tags": twin(ids)}, specs)}

    report = export.export_model(
        model,
        folder,
        signatures=signatures,
        samples={"serve": rows(dev)[:20]},
        loop_strategy="fused",
        quantize=["dynamic", export.Int8({"serve": rows(representative)})],
        card={"task": "tag", "data": "UD English-EWT"},
    )
    return stock.predict(dev, verbose=0), report


def tag(path, inputs):
    """Tags each sentence with an exported file."""
    from kerasseq import lite

    runner = lite.Runner(path)
    outputs = [runner.run(**row)["tags"] for row in rows(inputs)]
    return np.concatenate(outputs).argmax(-1)


def main(flags):
    """Trains, converts, exports and measures, and prints the table."""
    folder = command_line.make_folder(flags.work_dir)
    model_path, vocabulary = train(flags, folder)
    train_part, dev_part = (
        conllu.read(_data_file(flags, part)) for part in ("train", "dev")
    )
    length = max(len(sentence) for sentence in dev_part)
    dev, tags, weights = conllu.encode(dev_part, vocabulary, length)
    representative, _, _ = conllu.encode(
        train_part[:NUM_REPRESENTATIVE], vocabulary, length
    )
    probabilities, report = export(flags, model_path, representative, dev, folder)
    results = {"keras": {"accuracy": accuracy(probabilities.argmax(-1), tags, weights)}}
    for artifact in report["artifacts"]:
        if artifact["file"].endswith(".tflite"):
            predicted = tag(folder / artifact["file"], dev)
            results[artifact["file"]] = {
                "accuracy": accuracy(predicted, tags, weights),
                "bytes": artifact["bytes"],
                "latency_ms": artifact["latency_ms"],
                "max_abs_diff": artifact["max_abs_diff"],
                "int8_share": artifact.get("int8_share"),
                "ops": artifact["ops"],
            }
    show(results, len(dev_part), length)
    facts = machine.description()
    output = pathlib.Path(flags.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"machine": facts, "results": results}, indent=1))
    print(f"\nWritten to {output}")


def show(results, num_sentences, length):
    """Prints one line per file, with its size relative to the float32 file."""
    float_bytes = results["model.tflite"]["bytes"]
    print(f"{num_sentences} dev sentences, padded to {length} words")
    head = ("model", "accuracy", "kB", "size ratio", "ms", "int8 fraction")
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for name, row in results.items():
        line = [name, f"{100 * row['accuracy']:.2f}"]
        if "bytes" in row:
            int8 = row["int8_share"]
            line += [
                f"{row['bytes'] / 1e3:.0f}",
                f"{row['bytes'] / float_bytes:.3f}",
                f"{row['latency_ms']:.2f}",
                "" if int8 is None else f"{int8:.3f}",
            ]
        print("| " + " | ".join(line) + " |")
    print("ops of model_int8.tflite:", results["model_int8.tflite"]["ops"])


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(command_line.run(main, define_flags(), __doc__))
