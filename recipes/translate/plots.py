"""Pictures of attention weights."""

import kerasseq
from recipes.shared import figures
from recipes.translate import data as translate_data


def draw(path, source, translation, weights):
    """Draws attention weights as a heat map.

    Args:
        path: Path of the PNG.
        source: List of the source's tokens.
        translation: List of the translation's tokens.
        weights: Array of shape `(len(translation), len(source))`.
    """
    with figures.figure(
        path, 0.32 * len(source) + 2, 0.32 * len(translation) + 1.5
    ) as drawn:
        axes = drawn.subplots()
        image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(source)), source, rotation=90)
        axes.set_yticks(range(len(translation)), translation)
        axes.set(xlabel="source", ylabel="translation")
        drawn.colorbar(image, label="attention weight", fraction=0.05)


def draw_attention(model, data, source, folder):
    """Draws the attention of a few greedy translations.

    Args:
        model: The trained model.
        data: The loaded data.
        source: Padded ids, int array `(num, length)`.
        folder: Folder of the PNGs, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    translator = kerasseq.decoding.Translator(
        model, translate_data.lengths(data)[1], return_attention=True
    )
    outputs = translator.predict(source, verbose=0)
    names = []
    for index, row in enumerate(source):
        both = zip(data["vocabularies"], (row, outputs["tokens"][index]), strict=True)
        pieces = [_pieces(vocabulary, ids) for vocabulary, ids in both]
        weights = outputs["attention"][index, : len(pieces[1]), : len(pieces[0])]
        names.append(f"attention_{index + 1}.png")
        draw(folder / names[-1], *pieces, weights)
    return names


def _pieces(vocabulary, ids):
    found = vocabulary.pieces(i for i in ids if i)
    return [piece.replace("▁", "_").replace(" ", "_") for piece in found]
