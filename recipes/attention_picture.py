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
