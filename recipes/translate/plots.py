"""Pictures of attention weights."""


def draw(path, source, translation, weights):
    """Draws attention weights as a heat map.

    Args:
        path: Path of the PNG.
        source: List of the source's subwords.
        translation: List of the translation's subwords.
        weights: Array of shape `(len(translation), len(source))`.
    """
    import matplotlib.figure

    size = (0.32 * len(source) + 2, 0.32 * len(translation) + 1.5)
    figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(source)), source, rotation=90)
    axes.set_yticks(range(len(translation)), translation)
    axes.set(xlabel="source", ylabel="translation")
    figure.colorbar(image, label="attention weight", fraction=0.05)
    figure.savefig(path, dpi=120)


def draw_all(translator, tokenizer, source, folder):
    """Draws the attention of a few greedy translations.

    Args:
        translator: A `kerasseq.decoding.Translator` that returns the attention.
        tokenizer: The tokenizer of both languages.
        source: Padded ids, int array `(num, length)`.
        folder: Folder of the PNGs, a `pathlib.Path`.

    Returns:
        The names of the files.
    """
    outputs = translator.predict(source, verbose=0)
    names = []
    for index, row in enumerate(source):
        pieces = [_pieces(tokenizer, ids) for ids in (row, outputs["tokens"][index])]
        weights = outputs["attention"][index, : len(pieces[1]), : len(pieces[0])]
        names.append(f"attention_{index + 1}.png")
        draw(folder / names[-1], *pieces, weights)
    return names


def _pieces(tokenizer, ids):
    ids = [int(i) for i in ids if i]
    return [tokenizer.id_to_token(i).replace("▁", "_") for i in ids]
