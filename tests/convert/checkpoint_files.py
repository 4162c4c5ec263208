"""Small checkpoints in the names of their authors, and what they compute, in NumPy."""

import json

import numpy as np
import reference_rwkv
import reference_state_space

UNITS, VOCABULARY, LAYERS = 8, 13, 2
TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
TYPES |= {"int32": "I32"}

# `{name in a block: shape}`; a vector as the authors store it.
MAMBA = {
    "norm.weight": (8,),
    "mixer.in_proj.weight": (48, 8),
    "mixer.conv1d.weight": (24, 1, 3),
    "mixer.conv1d.bias": (24,),
    "mixer.x_proj.weight": (13, 24),
    "mixer.dt_proj.weight": (24, 5),
    "mixer.dt_proj.bias": (24,),
    "mixer.A_log": (24, 4),
    "mixer.D": (24,),
    "mixer.out_proj.weight": (8, 24),
}
# 4 heads of 4 in 2 groups, state size 3: z 16, x 16, B and C 6 each, dt 4.
MAMBA2 = {
    "norm.weight": (8,),
    "mixer.in_proj.weight": (48, 8),
    "mixer.conv1d.weight": (28, 1, 4),
    "mixer.conv1d.bias": (28,),
    "mixer.dt_bias": (4,),
    "mixer.A_log": (4,),
    "mixer.D": (4,),
    "mixer.norm.weight": (16,),
    "mixer.out_proj.weight": (8, 16),
}
NORMS = {
    f"{name}.{part}": (8,) for name in ("ln1", "ln2") for part in ("weight", "bias")
}
DENSE = {f"att.{x}.weight": (8, 8) for x in ("receptance", "key", "value", "output")}
FEED_FORWARD = {"ffn.key.weight": (12, 8), "ffn.value.weight": (8, 12)}
RWKV4 = {
    **NORMS,
    **DENSE,
    **FEED_FORWARD,
    "att.time_decay": (8,),
    "att.time_first": (8,),
    **{f"att.time_mix_{x}": (1, 1, 8) for x in "kvr"},
    **{f"ffn.time_mix_{x}": (1, 1, 8) for x in "kr"},
    "ffn.receptance.weight": (8, 8),
}
RWKV7 = {
    **NORMS,
    **DENSE,
    **FEED_FORWARD,
    **{f"att.x_{x}": (1, 1, 8) for x in "rwkvag"},
    **{f"att.{x}": (1, 1, 8) for x in ("w0", "a0", "v0", "k_k", "k_a")},
    "att.r_k": (2, 4),
    **{f"att.{x}1": (8, rank) for x, rank in zip("wavg", (3, 2, 5, 4), strict=True)},
    **{f"att.{x}2": (rank, 8) for x, rank in zip("wavg", (3, 2, 5, 4), strict=True)},
    "att.ln_x.weight": (8,),
    "att.ln_x.bias": (8,),
    "ffn.x_k": (1, 1, 8),
}
BLOCKS = {"mamba": MAMBA, "mamba2": MAMBA2, "rwkv4": RWKV4, "rwkv7": RWKV7}
OPTIONS = {"mamba2": {"num_groups": 2}}


def is_rwkv(kind):
    return kind.startswith("rwkv")


def shapes(kind):
    """`{name: shape}` of a whole checkpoint."""
    table = (VOCABULARY, UNITS)
    if is_rwkv(kind):
        found = {"emb.weight": table, "head.weight": table}
        for name in ("blocks.0.ln0", "ln_out"):
            found |= {f"{name}.weight": (UNITS,), f"{name}.bias": (UNITS,)}
    else:
        found = {"backbone.embedding.weight": table, "backbone.norm_f.weight": (UNITS,)}
    stem = "blocks" if is_rwkv(kind) else "backbone.layers"
    for index in range(LAYERS):
        for name, shape in BLOCKS[kind].items():
            # Published files have no mix of values in the first block.
            if index or name not in ("att.v0", "att.v1", "att.v2"):
                found[f"{stem}.{index}.{name}"] = shape
    return found


def weights(kind, dtype="float32"):
    """Random values."""
    normal = np.random.default_rng(7).normal
    pairs = shapes(kind).items()
    return {name: normal(0, 0.4, shape).astype(dtype) for name, shape in pairs}


def write_safetensors(path, values, metadata=None):
    """Writes what the format's page says."""
    header, content = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, value in values.items():
        start, content = len(content), content + value.tobytes()
        offsets = [start, len(content)]
        entry = {"dtype": TYPES[value.dtype.name], "shape": list(value.shape)}
        header[name] = entry | {"data_offsets": offsets}
    write_parts(path, json.dumps(header).encode(), content)
    return path


def write_parts(path, header, content, length=None):
    length = len(header) if length is None else length
    path.write_bytes(length.to_bytes(8, "little") + header + content)


def logits(kind, values, tokens):
    """The whole network, from states of zeros."""
    values = {name: x.astype("float64") for name, x in values.items()}
    rwkv = is_rwkv(kind)
    x = values["emb.weight" if rwkv else "backbone.embedding.weight"][tokens]
    x = norm(x, values, "blocks.0.ln0") if rwkv else x
    first = None
    for index in range(LAYERS):
        stem = f"blocks.{index}." if rwkv else f"backbone.layers.{index}."
        inner = {k.removeprefix(stem): v for k, v in values.items() if stem in k}
        if kind == "rwkv7":
            w = rwkv_names(inner)
            y, value, _ = reference_rwkv.rwkv7(x, w, "b", 4, first)
            first = value if first is None else first
        elif kind == "rwkv4":
            y = reference_rwkv.rwkv4(x, rwkv_names(inner), "b")[0]
        else:
            w = state_space_names(inner) | {"n/scale": inner["norm.weight"]}
            normed = reference_state_space.rms_norm(x, w, "n")
            if kind == "mamba":
                y = reference_state_space.mamba(normed, w, "b")[0]
            else:
                y = reference_state_space.mamba2(normed, w, "b", 4, 2)[0]
        x = x + y
    if rwkv:
        return norm(x, values, "ln_out") @ values["head.weight"].T
    w = {"n/scale": values["backbone.norm_f.weight"]}
    head = values.get("lm_head.weight", values["backbone.embedding.weight"])
    return reference_state_space.rms_norm(x, w, "n") @ head.T


def norm(x, values, name):
    w = {"n/gamma": values[f"{name}.weight"], "n/beta": values[f"{name}.bias"]}
    return reference_rwkv.norm(x, w, "n")


def rwkv_names(inner):
    """As the reference has them: `att.key.weight` is `b/att/key/kernel`."""
    w = {}
    for name, value in inner.items():
        path = "b/" + name.replace(".", "/")
        if value.ndim == 2 and path.endswith("/weight"):
            path, value = path.replace("/weight", "/kernel"), value.T
        path = path.replace("/weight", "/gamma").replace("/bias", "/beta")
        w[path] = value.reshape(value.shape[-1]) if value.ndim == 3 else value
    return w


def state_space_names(inner):
    renamed = {
        "in_proj.weight": "in_projection/kernel",
        "x_proj.weight": "x_projection/kernel",
        "dt_proj.weight": "delta_projection/kernel",
        "out_proj.weight": "out_projection/kernel",
        "dt_proj.bias": "delta_projection/bias",
        "conv1d.bias": "bias",
        "dt_bias": "delta_bias",
        "A_log": "a_log",
        "D": "skip",
        "norm.weight": "scale",
    }
    w = {"b/kernel": inner["mixer.conv1d.weight"][:, 0].T}
    for name, path in renamed.items():
        value = inner.get(f"mixer.{name}")
        if value is not None:
            w[f"b/{path}"] = value.T if path.endswith("kernel") else value
    return w
