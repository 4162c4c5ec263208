"""The unseen text of `recipes.generate`, in Keras and with each exported file."""

import math
import time

import numpy as np

import kerasseq
from recipes.generate import data as generate_data
from recipes.generate import sampling_flags, signatures
from recipes.shared import artifacts, chance

NUM_CHECKED = 5000


def evaluate(model, data):
    """Cross entropy of the unseen text with Keras.

    Args:
        model: The compiled trainer.
        data: The loaded data.

    Returns:
        A dict: `scores`, nats per token and bits per character of validation and test,
        and `warnings`.
    """
    scores = {}
    for name in ("validation", "test"):
        if not data[name]:
            continue
        found = model.evaluate(data[name], verbose=0, return_dict=True)
        nats = float(found["cross_entropy"])
        bits = nats / math.log(2) / data["characters_per_token"][name]
        scores |= {f"{name}_nats": nats, f"{name}_bits_per_character": bits}
    print("Keras:", ", ".join(f"{name} {x:.4f}" for name, x in scores.items()))
    return {"scores": scores, "warnings": _warnings(data, scores)}


def _warnings(data, scores):
    """Whether it does better than the frequencies of the tokens, as sentences."""
    vocabulary, text = data["vocabulary"], data["text"]
    counts = np.bincount(vocabulary.encode(text.train), minlength=len(vocabulary)) + 1
    surprise = np.log(counts.sum()) - np.log(counts)  # nats of each kind of token
    nats = surprise[vocabulary.encode(text.validation)].mean()
    if scores["validation_nats"] < nats:
        return []
    score = f"{scores['validation_nats']:.4f} nats per token"
    return [chance.no_better(score, f"frequencies of tokens alone, {nats:.4f}")]


def verify_all(flags, model, data, results, prompts, report, folder):
    """Writes with each exported file and with Keras from the same seeds.

    How many texts are the same, the file's own bits per character and the time that it
    takes per token go into the report, as each file's `metrics`.

    Args:
        flags: The flags of the recipe.
        model: The step model.
        data: The loaded data.
        results: What `evaluate` returned; it goes to the float32 file.
        prompts: From `generate_data.prompts`.
        report: What `kerasseq.export.export_model` returned.
        folder: Where the files are.

    Returns:
        Rows of texts for the page, of the float32 file.
    """
    generator = kerasseq.decoding.Generator(
        model, flags.max_length, **sampling_flags.options(flags)
    )
    seeds = np.arange(len(prompts), dtype="int32")
    batch = {"prompt": np.stack(prompts), "seed": seeds}
    expected = generator.predict(batch, batch_size=len(prompts), verbose=0)["tokens"]
    written = {}
    for artifact in artifacts.tflite_entries(report):
        name = artifact["file"]
        found, metrics = _verify(folder / name, data, prompts, expected)
        written[name], artifact["metrics"] = found, metrics
    report["artifacts"][0]["metrics"] |= results["scores"]
    decode = data["vocabulary"].decode
    return [
        {"prompt": decode(prompt), "text": decode(tokens)}
        for prompt, tokens in zip(prompts, written["model.tflite"], strict=True)
    ]


def _verify(path, data, prompts, expected):
    runner = kerasseq.lite.Runner(path)
    began = time.perf_counter()
    found = [runner.run("generate", **x)["tokens"] for x in signatures.inputs(prompts)]
    seconds = time.perf_counter() - began
    found = np.concatenate(found)
    text = generate_data.unseen(data["text"])[:NUM_CHECKED]
    metrics = {
        "texts": len(prompts),
        "texts_identical": int(np.sum(np.all(found == expected, axis=1))),
        "ms_per_token": 1e3 * seconds / found.size,
        "bits_per_character": bits_per_character(runner, data["vocabulary"], text),
    }
    print(
        f"{path.name}: {metrics['texts_identical']} of {len(prompts)} as Keras', "
        f"{metrics['bits_per_character']:.4f} bits per character, "
        f"{metrics['ms_per_token']:.3f} ms per token"
    )
    return found, metrics


def bits_per_character(runner, vocabulary, text):
    """The cross entropy of a text, token by token through the signature `step`.

    Args:
        runner: A `kerasseq.lite.Runner`.
        vocabulary: `kerasseq.data.Characters` or `LosslessSubwords`.
        text: A string.

    Returns:
        A float: bits per character, of all tokens but the first.
    """
    ids = vocabulary.encode(text)
    step = runner.stateful("step")
    nats = 0.0
    for token, target in zip(ids[:-1], ids[1:], strict=True):
        logits = np.ravel(step(tokens=[[token]])["logits"]).astype("float64")
        highest = logits.max()
        nats += highest + math.log(np.exp(logits - highest).sum()) - logits[target]
    return nats / math.log(2) / len(text)


def published_score(path, flags, num_rows=NUM_CHECKED):
    """Scores an exported file as an app would use it, on the start of the test text.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of characters.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    text = generate_data.unseen(generate_data.load_text(flags))[:num_rows]
    generator = kerasseq.lite.TextGenerator(path)
    value = bits_per_character(generator.runner, generator.vocabulary, text)
    return {"metric": "bits_per_character", "value": value, "rows": len(text)}
