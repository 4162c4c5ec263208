"""The import of a checkpoint in the names of its authors."""

import os

import keras
import numpy as np

from kerasseq import layers, models
from kerasseq.convert.checkpoints import files, layout, rwkv, state_space

_KINDS = (state_space.MAMBA, state_space.MAMBA2, rwkv.RWKV4, rwkv.RWKV7)
_TABLE, _HEAD = "embedding/embeddings", "output/kernel"


def from_checkpoint(
    path: str | os.PathLike,
    *,
    num_groups: int = 1,
    vocabulary_size: int | None = None,
) -> keras.Model:
    """Turns published weights of Mamba, Mamba-2, RWKV-4 or RWKV-7 into a model.

    The names of the weights are those of the authors' code; they say which kind it is,
    and the shapes all its sizes. The model computes what the original does, in float32,
    and can be trained on, saved, exported and asked token by token as any
    `kerasseq.models.language_model`; it has no dropout. Half precision and bfloat16
    become float32. An epsilon of norms and limits of step sizes are not in such a file:
    they are what the authors published, 1e-5 and none.

    | kind | names |
    |---|---|
    | Mamba | `backbone.layers.0.mixer.x_proj.weight`, ... |
    | Mamba-2 | `backbone.layers.0.mixer.dt_bias`, ... |
    | RWKV-4 | `blocks.0.att.time_decay`, ... |
    | RWKV-7 | `blocks.0.att.r_k`, ... |

    Mamba's table of embeddings makes the logits too, unless `lm_head.weight` is another
    one. RWKV has a head of its own, without a bias; that of the model is zero.

    Args:
        path: Path of a `.safetensors` file, or of an `.npz` archive that `numpy.savez`
            wrote under the same names. Nothing of it is believed: names, shapes and
            offsets are checked before an array is made. A pickle (`.pth`, `.pt`,
            `.bin`) is never read, and nothing is downloaded.
        num_groups: Number of groups of heads of Mamba-2, which no shape says; 1 in all
            weights that its authors published.
        vocabulary_size: Number of tokens to keep, the first ones. A vocabulary may be
            padded to a multiple of 8 or 16: the 50280 rows of Mamba are for 50277
            tokens, and the model returns logits of the padding too. All by default.

    Returns:
        A new model, built by `kerasseq.models.language_model`: tokens `(batch_size,
        length)` and states in, logits `(batch_size, length, vocabulary_size)` and
        states out.

    Raises:
        ValueError: If there is no such file, if it is a pickle, a part of a checkpoint,
            or damaged, if names are missing or unknown, or if shapes do not fit.

    Example:

    ```python
    model = kerasseq.convert.from_checkpoint("mamba-130m.safetensors")
    generator = kerasseq.decoding.Generator(model, max_length=100, top_k=40)
    ```

    Reference:
        Gu and Dao (2023), Mamba: Linear-Time Sequence Modeling with Selective State
        Spaces; Dao and Gu (2024), Transformers are SSMs; Peng et al. (2023), RWKV:
        Reinventing RNNs for the Transformer Era; Peng et al. (2025), RWKV-7 "Goose"
        with Expressive Dynamic State Evolution. Names as in their authors' code,
        `mamba_ssm` and RWKV-LM.
    """
    with files.opened(path) as checkpoint:
        try:
            found = layout.find_layout(checkpoint.shapes, _KINDS, num_groups)
            size = _kept(vocabulary_size, found.sizes["vocabulary"])
        except ValueError as error:
            raise ValueError(f"{error}. In path='{os.fspath(path)}'") from error
        is_tied = found.kind.is_tied and _has_one_table(found, checkpoint)
        paths = {
            name: path
            for name, path in found.paths.items()
            if not (is_tied and path == _HEAD)
        }
        model = _model(found, size, is_tied)
        _assign(model, checkpoint, paths)
    return model


def _kept(vocabulary_size, available):
    if vocabulary_size is None:
        return available
    if not 1 <= vocabulary_size <= available:
        raise ValueError(
            f"`vocabulary_size` must be from 1 to {available}, the rows of the "
            f"embeddings. Received: vocabulary_size={vocabulary_size}"
        )
    return vocabulary_size


def _has_one_table(found, checkpoint):
    """Whether the embeddings are the head too."""
    if found.head is None:
        return True
    table = next(name for name, path in found.paths.items() if path == _TABLE)
    return np.array_equal(checkpoint.read(table), checkpoint.read(found.head))


def _model(found, vocabulary_size, is_tied):
    units, options = found.sizes["units"], found.block_options
    body = layers.ResidualStack(
        units,
        found.sizes["num_layers"],
        found.kind.cell,
        return_state=True,
        name="body",
        **options,
    )
    return models.language_model(
        vocabulary_size,
        body,
        embedding_dim=units,
        dropout=0.0,
        tie_embeddings=is_tied,
    )


def _assign(model, checkpoint, paths):
    """Copies one weight after the other, so that no two copies of all are in memory."""
    weights = {weight.path: weight for weight in model.weights}
    for name, path in paths.items():
        weight, value = weights.pop(path), checkpoint.read(name)
        if path in (_TABLE, _HEAD):
            value = value[: model.output["logits"].shape[-1]]
        shape = tuple(weight.shape)
        if path.endswith("kernel"):
            # Kernels are (out, in) there, and (in, out) here; the convolution's are
            # (channels, 1, kernel_size) and (kernel_size, channels).
            value = value.reshape(shape[::-1]).T
        weight.assign(value.reshape(shape))
    # There are no others but the bias of the head, which is zero.
