"""The test split of `recipes.caption`, in Keras and with each exported file."""

import collections

import numpy as np

import kerasseq
from recipes.caption import data as caption_data
from recipes.caption import scores as caption_scores
from recipes.shared import artifacts, chance, searches

NUM_CHECKED = 200


def evaluate(flags, model, data):
    """Describes the test split under XLA with greedy and beam search, and scores it.

    Returns:
        A dict of `scores`, `warnings`, and for `greedy` and `beam` the search's
        results.
    """
    images, results = data["images"].test[0], {}
    for name, beam_size in (("greedy", None), ("beam", flags.beam_size)):
        search = kerasseq.decoding.Captioner(
            model, data["length"], beam_size, flags.length_penalty
        )
        results[name] = searches.predict(search, images)
    tokens = searches.best(results["beam"])[0]
    results["scores"] = _scores(data, tokens)
    results["warnings"] = _warnings(data, tokens, results["scores"])
    print("Keras, beam search:", caption_scores.summary(results["scores"]))
    return results


def _texts(data, tokens):
    return [data["words"].decode(row) for row in tokens]


def _scores(data, tokens):
    return caption_scores.scores(_texts(data, tokens), caption_data.references(data))


def _warnings(data, tokens, found):
    """Whether it does better than one caption for all, as sentences."""
    hypotheses, references = _texts(data, tokens), caption_data.references(data)
    differ = len({*map(tuple, references)}) > 1
    if differ and len({*hypotheses}) == 1 < len(hypotheses):
        return [chance.constant("test images", hypotheses[0])]
    counts = collections.Counter(
        text for texts in caption_data.references(data, "train") for text in texts
    )
    common = counts.most_common(1)[0][0]
    always = caption_scores.scores([common] * len(references), references)
    # Of captions shorter than four words BLEU is 0, right or wrong.
    if not differ or any(found[x] > always[x] for x in ("bleu", "exact_match")):
        return []
    score = f"a BLEU of {found['bleu']:.2f}"
    return [chance.no_better(score, f"always {common!r}, {always['bleu']:.2f}")]


def verify_all(data, results, report, folder):
    """Describes the test split with each exported file and compares with Keras.

    Scores, agreement of the tokens and time go into the report, as each file's
    `metrics`.
    """
    for artifact in artifacts.tflite_entries(report):
        path = folder / artifact["file"]
        verified, tokens = searches.compare(
            path, "image", data["images"].test[0], results, "image"
        )
        artifact["metrics"] = verified | _scores(data, tokens)
        summary = caption_scores.summary(artifact["metrics"])
        print(f"{path.name}, beam search:", summary)


def samples(data, results, count):
    """The first test images, rows of the table of samples."""
    texts = _texts(data, results["beam"]["tokens"][:count, 0])
    references = caption_data.references(data)[:count]
    return [
        {
            "image of the test split": number,
            "caption": text,
            "references": "; ".join(right),
            "exact": "yes" if text in right else "no",
        }
        for number, (text, right) in enumerate(zip(texts, references, strict=True), 1)
    ]


def published_score(path, flags, num_rows=NUM_CHECKED):
    """Scores an exported file as an app would use it, on the first test images.

    Args:
        path: Path of the `.tflite` file.
        flags: The flags of the run that made it.
        num_rows: Number of images.

    Returns:
        A dict: `metric`, its `value`, and the `rows` that it was computed on.
    """
    captioner = kerasseq.lite.Captioner(path)
    size = captioner.input_shape[:2]
    images = caption_data.load_images(flags, image_size=size)
    references = caption_data.references({"images": images})[:num_rows]
    rows = zip(images.test[0], references, strict=False)
    right = [captioner(image)[0][0] in texts for image, texts in rows]
    return {"metric": "exact_match", "value": np.mean(right), "rows": len(right)}
