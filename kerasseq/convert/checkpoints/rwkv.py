"""Names of the weights of RWKV-4 and RWKV-7, as the authors' code saves them."""

import functools

from kerasseq.convert.checkpoints.layout import Kind, Row


def _norm(name, path, blocks="all"):
    return {
        f"{name}.weight": Row("units", f"{path}/gamma", blocks),
        f"{name}.bias": Row("units", f"{path}/beta", blocks),
    }


def _vectors(part, *names, blocks="all"):
    path = f"body/block_{{}}/{part}"
    return {f"{part}.{x}": Row("units", f"{path}/{x}", blocks) for x in names}


def _dense(part, name, axes="units units"):
    return {f"{part}.{name}.weight": Row(axes, f"body/block_{{}}/{part}/{name}/kernel")}


def _low_rank(letter, rank, blocks="all"):
    path = f"body/block_{{}}/att/{letter}"
    return {
        f"att.{letter}1": Row(f"units {rank}", f"{path}1", blocks),
        f"att.{letter}2": Row(f"{rank} units", f"{path}2", blocks),
    }


_COMMON = {
    # Of the embeddings; the first block holds it.
    **_norm("ln0", "body/norm_0", blocks="first"),
    **_norm("ln1", "body/block_{}/ln1"),
    **_norm("ln2", "body/block_{}/ln2"),
    **_dense("att", "receptance"),
    **_dense("att", "key"),
    **_dense("att", "value"),
    **_dense("att", "output"),
    **_dense("ffn", "key", "mlp_dim units"),
    **_dense("ffn", "value", "units mlp_dim"),
}
_kind = functools.partial(
    Kind,
    stem="blocks",
    outer={
        "emb.weight": Row("vocabulary units", "embedding/embeddings"),
        **_norm("ln_out", "body/final_norm"),
        "head.weight": Row("vocabulary units", "output/kernel"),
    },
    head="head.weight",
    is_tied=False,
)


def _of_rwkv7(sizes, num_groups):
    heads, head_size, units = sizes["heads"], sizes["head_size"], sizes["units"]
    if heads * head_size != units:
        raise ValueError(
            "`att.r_k` of each block must have the shape (heads, head size), which "
            f"multiply to the {units} units. Received: {(heads, head_size)}"
        )
    return {}


RWKV4 = _kind(
    title="RWKV-4",
    cell="rwkv4",
    inner={
        **_vectors("att", "time_decay", "time_first"),
        **_vectors("att", "time_mix_k", "time_mix_v", "time_mix_r"),
        **_vectors("ffn", "time_mix_k", "time_mix_r"),
        **_dense("ffn", "receptance"),
        **_COMMON,
    },
    more_sizes=lambda sizes, num_groups: {},
    options={"mlp_dim": "mlp_dim"},
)
RWKV7 = _kind(
    title="RWKV-7",
    cell="rwkv7",
    inner={
        **_vectors("att", "x_r", "x_w", "x_k", "x_v", "x_a", "x_g"),
        **_vectors("att", "w0", "a0", "k_k", "k_a"),
        **_vectors("att", "v0", blocks="later"),
        "att.r_k": Row("heads head_size", "body/block_{}/att/r_k"),
        **_low_rank("w", "decay_rank"),
        **_low_rank("a", "rate_rank"),
        **_low_rank("v", "value_rank", blocks="later"),
        **_low_rank("g", "gate_rank"),
        **_norm("att.ln_x", "body/block_{}/att/ln_x"),
        **_vectors("ffn", "x_k"),
        **_COMMON,
    },
    more_sizes=_of_rwkv7,
    options={
        "head_size": "head_size",
        "mlp_dim": "mlp_dim",
        "decay_rank": "decay_rank",
        "rate_rank": "rate_rank",
        "value_rank": "value_rank",
        "gate_rank": "gate_rank",
    },
    # The first block has no others to mix its values with.
    unused=("att.v0", "att.v1", "att.v2"),
)
