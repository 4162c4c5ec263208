"""Names of the weights of Mamba and Mamba-2, as the authors' code saves them."""

import functools

from kerasseq.convert.checkpoints.layout import Kind, Row

_OUTER = {
    "backbone.embedding.weight": Row("vocabulary units", "embedding/embeddings"),
    "backbone.norm_f.weight": Row("units", "body/final_norm/scale"),
    "lm_head.weight": Row("vocabulary units", "output/kernel"),
}
_COMMON = {
    "norm.weight": Row("units", "body/norm_{}/scale"),
    "mixer.out_proj.weight": Row(
        "units channels", "body/block_{}/out_projection/kernel"
    ),
    "mixer.conv1d.weight": Row("convolved 1 kernel_size", "body/block_{}/kernel"),
    "mixer.conv1d.bias": Row("convolved", "body/block_{}/bias"),
}
_kind = functools.partial(
    Kind,
    stem="backbone.layers",
    outer=_OUTER,
    head="lm_head.weight",
    is_tied=True,
    # As Hugging Face's transformers calls it.
    aliases={"backbone.embeddings.weight": "backbone.embedding.weight"},
)


def _of_mamba(sizes, num_groups):
    channels, states = sizes["channels"], sizes["state_dim"]
    return {
        "convolved": channels,
        "expanded": 2 * channels,
        "read": sizes["delta_rank"] + 2 * states,
        "expansion": _expansion(sizes),
    }


def _of_mamba2(sizes, num_groups):
    channels, heads = sizes["channels"], sizes["heads"]
    shared = sizes["convolved"] - channels
    if channels % heads or heads % num_groups:
        raise ValueError(
            "The heads must divide the channels, and the groups the heads. Received: "
            f"channels={channels}, heads={heads}, num_groups={num_groups}"
        )
    if shared < 2 or shared % (2 * num_groups):
        raise ValueError(
            "The convolution must be over the channels and, for each group, as many "
            "numbers of B as of C. Received: "
            f"backbone.layers.0.mixer.conv1d.weight over {sizes['convolved']}, of them "
            f"channels={channels}, num_groups={num_groups}"
        )
    return {
        "state_dim": shared // 2 // num_groups,
        "head_dim": channels // heads,
        "num_groups": num_groups,
        "projected": channels + sizes["convolved"] + heads,  # z, (x, B, C), dt
        "expansion": _expansion(sizes),
    }


def _expansion(sizes):
    channels, units = sizes["channels"], sizes["units"]
    if channels % units:
        raise ValueError(
            "The channels must be a multiple of the units. "
            f"Received: channels={channels}, units={units}"
        )
    return channels // units


MAMBA = _kind(
    title="Mamba",
    cell="mamba",
    inner={
        "mixer.x_proj.weight": Row(
            "read channels", "body/block_{}/x_projection/kernel"
        ),
        "mixer.in_proj.weight": Row(
            "expanded units", "body/block_{}/in_projection/kernel"
        ),
        **_COMMON,
        "mixer.dt_proj.weight": Row(
            "channels delta_rank", "body/block_{}/delta_projection/kernel"
        ),
        "mixer.dt_proj.bias": Row("channels", "body/block_{}/delta_projection/bias"),
        "mixer.A_log": Row("channels state_dim", "body/block_{}/a_log"),
        "mixer.D": Row("channels", "body/block_{}/skip"),
    },
    more_sizes=_of_mamba,
    options={
        "state_dim": "state_dim",
        "kernel_size": "kernel_size",
        "expansion": "expansion",
        "delta_rank": "delta_rank",
    },
)
MAMBA2 = _kind(
    title="Mamba-2",
    cell="mamba2",
    inner={
        "mixer.dt_bias": Row("heads", "body/block_{}/delta_bias"),
        "mixer.in_proj.weight": Row(
            "projected units", "body/block_{}/in_projection/kernel"
        ),
        **_COMMON,
        "mixer.A_log": Row("heads", "body/block_{}/a_log"),
        "mixer.D": Row("heads", "body/block_{}/skip"),
        "mixer.norm.weight": Row("channels", "body/block_{}/scale"),
    },
    more_sizes=_of_mamba2,
    options={
        "head_dim": "head_dim",
        "state_dim": "state_dim",
        "num_groups": "num_groups",
        "kernel_size": "kernel_size",
        "expansion": "expansion",
    },
)
