"""Copies the weights of Keras models into the models of PyTorch's own layers.

Weights are a dict from `Variable.path` to array, as `on_device_models.weights` returns
it.
"""

import torch

NORM_EPSILON = 1e-3  # of Keras' batch normalization


def tagger(model, weights):
    """Into `torch_tagger.Tagger`."""
    _put(model.embedding.weight, weights["embedding/embeddings"])
    for direction, suffix in (("forward", ""), ("backward", "_reverse")):
        path = f"{direction}_lstm/lstm_cell"
        _put_lstm(model.lstm, suffix, weights, path)
    _put_linear(model.tags, weights, "tags")


def translator(model, weights):
    """Into `torch_seq2seq.Seq2Seq` with GRUs, general attention and input feeding."""
    _put(model.embedding.weight, weights["embedding/embeddings"])
    for direction, suffix in (("forward", "_l0"), ("backward", "_l0_reverse")):
        path = f"stack/layer_0/{direction}_layer_0/gru_cell"
        _put_gru(model.encoder, suffix, weights, path)
    _put_gru(model.decoder, "", weights, "decoder/cell_0")
    _put_linear(model.bridges[0], weights, "bridge_0_0")
    _put(model.key.weight, weights["decoder/attention/key/kernel"].T)
    _put_linear(model.output, weights, "decoder/output")


def unet(model, weights):
    """Into `torch_vision.UNet`."""
    depth = len(model.up)
    names = [*(f"down_{level + 1}" for level in range(depth)), "bottom"]
    for stage, name in zip(model.down, names, strict=True):
        _put_convolutions(stage, weights, [f"{name}_a", f"{name}_b"])
    for index, (grow, stage) in enumerate(zip(model.grow, model.up, strict=True)):
        name = f"up_{depth - index}"
        # (height, width, outputs, inputs) -> (inputs, outputs, height, width)
        kernel = weights[f"{name}_conv/kernel"].transpose(3, 2, 0, 1)
        _put(grow.weight, kernel)
        _put(grow.bias, weights[f"{name}_conv/bias"])
        _put_convolutions(stage, weights, [f"{name}_a", f"{name}_b"])
    _put_convolution(model.logits, weights, "logits_head")


def vit(model, weights):
    """Into `torch_vision.VisionTransformer`."""
    patches = model.patches
    if isinstance(patches, torch.nn.Sequential):
        count = sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in patches)
        names = [f"stem_{index + 1}" for index in range(count)]
        _put_convolutions(patches[:-1], weights, names)
        patches = patches[-1]
    _put_convolution(patches, weights, "patches")
    if model.class_token is not None:
        _put(model.class_token, weights["class_token/token"])
    _put(model.positions, weights["positions"])
    for index, block in enumerate(model.encoder.layers):
        _put_block(block, weights, f"block_{index + 1}")
    _put_norm(model.encoder.norm, weights, "norm")
    _put_linear(model.logits, weights, "logits")


def _put_block(block, weights, name):
    size = block.linear1.in_features
    attention, path = block.self_attn, f"{name}_attention"
    parts = [weights[f"{path}/{part}/kernel"] for part in ("query", "key", "value")]
    # (features, num_heads, key_dim) -> (num_heads * key_dim, features), three times
    kernels = [part.reshape(size, size).T for part in parts]
    biases = [weights[f"{path}/{part}/bias"] for part in ("query", "key", "value")]
    _put(attention.in_proj_weight, *kernels)
    _put(attention.in_proj_bias, *(bias.reshape(-1) for bias in biases))
    output = weights[f"{path}/attention_output/kernel"].reshape(size, size)
    _put(attention.out_proj.weight, output.T)
    _put(attention.out_proj.bias, weights[f"{path}/attention_output/bias"])
    _put_norm(block.norm1, weights, f"{name}_norm_1")
    _put_norm(block.norm2, weights, f"{name}_norm_2")
    _put_linear(block.linear1, weights, f"{name}_mlp_1")
    _put_linear(block.linear2, weights, f"{name}_mlp_2")


def _put_lstm(layer, suffix, weights, path):
    _put(getattr(layer, f"weight_ih_l0{suffix}"), weights[f"{path}/kernel"].T)
    _put(getattr(layer, f"weight_hh_l0{suffix}"), weights[f"{path}/recurrent_kernel"].T)
    _put(getattr(layer, f"bias_ih_l0{suffix}"), weights[f"{path}/bias"])
    torch.nn.init.zeros_(getattr(layer, f"bias_hh_l0{suffix}"))


def _put_gru(layer, suffix, weights, path):
    """Keras' gates are update, reset and candidate, PyTorch's reset, update, new."""

    def reordered(array):
        units = array.shape[-1] // 3
        parts = array[..., units : 2 * units], array[..., :units]
        return [part.T for part in (*parts, array[..., 2 * units :])]

    _put(getattr(layer, f"weight_ih{suffix}"), *reordered(weights[f"{path}/kernel"]))
    recurrent = weights[f"{path}/recurrent_kernel"]
    _put(getattr(layer, f"weight_hh{suffix}"), *reordered(recurrent))
    for kind, bias in zip(("ih", "hh"), weights[f"{path}/bias"], strict=True):
        _put(getattr(layer, f"bias_{kind}{suffix}"), *reordered(bias))


def _put_convolutions(stage, weights, names):
    """Convolutions without bias, each with its batch normalization."""
    kinds = torch.nn.Conv2d, torch.nn.BatchNorm2d
    convolutions, norms = (
        [layer for layer in stage if isinstance(layer, kind)] for kind in kinds
    )
    for convolution, norm, name in zip(convolutions, norms, names, strict=True):
        _put_convolution(convolution, weights, name)
        _put_norm(norm, weights, f"{name}_norm")
        _put(norm.running_mean, weights[f"{name}_norm/moving_mean"])
        _put(norm.running_var, weights[f"{name}_norm/moving_variance"])
        norm.eps = NORM_EPSILON


def _put_convolution(layer, weights, path):
    # (height, width, inputs, outputs) -> (outputs, inputs, height, width)
    _put(layer.weight, weights[f"{path}/kernel"].transpose(3, 2, 0, 1))
    if layer.bias is not None:
        _put(layer.bias, weights[f"{path}/bias"])


def _put_linear(layer, weights, path):
    _put(layer.weight, weights[f"{path}/kernel"].T)
    _put(layer.bias, weights[f"{path}/bias"])


def _put_norm(layer, weights, path):
    _put(layer.weight, weights[f"{path}/gamma"])
    _put(layer.bias, weights[f"{path}/beta"])


def _put(parameter, *arrays):
    """Sets a parameter to arrays, one below the other."""
    value = torch.cat([torch.tensor(array) for array in arrays])
    if value.shape != parameter.shape:
        raise ValueError(f"Shapes differ: {tuple(value.shape)}, {parameter.shape}")
    with torch.no_grad():
        parameter.copy_(value)
