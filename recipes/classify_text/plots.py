"""The pictures of a run of `recipes.classify_text`."""

import numpy as np

import kerasseq
from recipes.shared import figures, image_plots

NUM_SHOWN = 8
_MOST_WORDS = 60  # of a text in the picture
_BLUE, _RED, _GRAY = "#0072b2", "#d55e00", "#999999"
_LINE, _FONT, _WIDTH = 0.27, 9, 9.0  # inches, points, inches


def draw(data, results, importance, title, folder):
    """Draws confusions, calibration, and what counted in some texts.

    Args:
        data: The loaded data.
        results: What `evaluate` returned.
        importance: From `importance`.
        title: From `importance`.
        folder: Where the pictures go, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    texts = data["texts"]
    predicted = results["probabilities"].argmax(axis=1)
    names = (texts.test[1], predicted, texts.class_names)
    image_plots.draw_confusion(folder / "confusion.png", *names)
    curves = {"as trained": results["uncalibrated"]}
    if results["temperature"] != 1:
        curves["calibrated"] = results["probabilities"]
    draw_reliability(folder / "calibration.png", texts.test[1], curves)
    draw_words(folder / "words.png", _rows(data, results, importance), title)
    return ["words.png", "confusion.png", "calibration.png"]


def importance(model, tokens):
    """How much each word of the first texts counts, and what the number is.

    Returns:
        `(weights, title)`: an array `(num, length)`, and a sentence.
    """
    import keras

    rows = tokens[:NUM_SHOWN]
    names = [layer.name for layer in model.layers]
    if "attention_weights" not in names:
        title = "Gradient times input: blue for the class given, orange against it"
        return kerasseq.explain.word_importance(model, rows), title
    weights = model.get_layer("attention_weights").output
    found = keras.Model(model.input, weights)(rows, training=False)
    found = keras.ops.convert_to_numpy(found).astype("float32")
    return found, "Attention: the weight of each word"


def _rows(data, results, importance):
    """`(heading, words, weights)` of each text that is shown."""
    texts, found = data["texts"], []
    for text, label, row, weights in zip(
        *texts.test, results["probabilities"], importance, strict=False
    ):
        words = data["vocabulary"].split(text)[: min(data["length"], _MOST_WORDS)]
        given = texts.class_names[row.argmax()]
        mark = "" if row.argmax() == label else f", truly {texts.class_names[label]}"
        found.append((f"{given} {row.max():.0%}{mark}", words, weights[: len(words)]))
    return found


def draw_words(path, rows, title):
    """Draws texts whose words are colored by how much they count.

    Args:
        path: Path of the PNG.
        rows: List of `(heading, words, weights)`. Colors are relative to the largest
            weight of each text.
        title: String.
    """
    lines = [_lines(words) for _, words, _ in rows]
    height = _LINE * (sum(map(len, lines)) + 1.2 * len(rows) + 2)
    with figures.figure(path, _WIDTH, height) as drawn:
        axes = drawn.subplots()
        axes.set(xlim=(0, _WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        axes.text(0.1, 0.2, title, va="center", fontsize=10)
        y = 2 * _LINE
        for (heading, words, weights), split in zip(rows, lines, strict=True):
            axes.text(0.1, y, heading, va="center", fontsize=8, color="#555555")
            y += _LINE
            most = max(np.abs(weights).max(initial=0), 1e-9)
            for line in split:
                for place, x in line:
                    _draw_word(axes, x, y, words[place], weights[place] / most)
                y += _LINE
            y += 0.2 * _LINE


def _draw_word(axes, x, y, word, strength):
    color = _BLUE if strength > 0 else _RED
    box = {"facecolor": color, "alpha": 0.75 * abs(strength), "edgecolor": "none"}
    font = {"fontsize": _FONT, "family": "monospace"}
    box["boxstyle"] = "square,pad=0.15"
    axes.text(x, y, figures.shorten(word, 3), va="center", bbox=box, **font)


def _lines(words):
    """Places of words and where each begins, in inches, line by line."""
    found, x, width = [[]], 0.2, 0.6 * _FONT / 72
    for place, word in enumerate(words):
        size = width * (min(len(word), 40) + 1)
        if x + size > _WIDTH - 0.1 and found[-1]:
            found.append([])
            x = 0.2
        found[-1].append((place, x))
        x += size
    return found


def draw_reliability(path, labels, curves, num_bins=10):
    """Draws the accuracy of predictions by their confidence.

    Args:
        path: Path of the PNG.
        labels: The true classes, int array `(num,)`.
        curves: `{name: probabilities (num, num_classes)}`.
        num_bins: Bins of equal width.
    """
    with figures.figure(path, 3.8, 3.4) as drawn:
        axes = drawn.subplots()
        axes.plot([0, 1], [0, 1], color=_GRAY, linewidth=1, linestyle="--")
        for (name, rows), color in zip(curves.items(), (_RED, _BLUE), strict=False):
            confidence, right = rows.max(axis=1), rows.argmax(axis=1) == labels
            bins = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
            used = np.unique(bins)
            means = [[x[bins == b].mean() for b in used] for x in (confidence, right)]
            axes.plot(*means, "o-", color=color, label=name, markersize=4)
        lowest = max(1 / next(iter(curves.values())).shape[1] - 0.05, 0)
        axes.set(xlabel="probability of the class given", ylabel="fraction right")
        axes.set(xlim=(lowest, 1.02), ylim=(0, 1.05), title="Calibration")
        axes.legend(loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
