"""Writes a PyTorch model as files of ONNX or LiteRT, for `benchmarks.on_device`.

It runs as `python -m benchmarks.on_device_torch FORMAT FOLDER` in an environment that
has PyTorch and, for the format `litert_torch`, litert-torch, or for `onnx` and
`onnx_dynamo` (PyTorch's older and newer exporter) onnx and onnxscript. The folder holds
`model.json`, `weights.npz` and `inputs.npz`; an `onnx` file is written for each
signature, one `litert_torch.tflite` for all.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from torch import nn

from benchmarks import torch_seq2seq, torch_tagger, torch_vision, torch_weights


class Signature(nn.Module):
    """A model with named inputs and outputs."""

    def __init__(self, model):
        super().__init__()
        self.model = model


class Tag(Signature):
    """A tagger as a signature."""

    def forward(self, words):
        return {"tags": self.model(words)}


class Image(Signature):
    """A model of images as a signature."""

    def forward(self, image):
        return {"logits": self.model(image)}


class Encode(Signature):
    """The encoder of a translator as a signature."""

    def forward(self, source):
        memory, keys, (state,) = self.model.encode(source)
        fed = torch.zeros(len(source), self.model.embedding.embedding_dim)
        return {"memory": memory, "keys": keys, "state_0": state, "state_1": fed}


class Step(Signature):
    """One step of the decoder as a signature, on states that go in and out."""

    def forward(self, token, memory, keys, state_0, state_1):
        x = torch.cat([self.model.embedding(token), state_1], -1)
        state = self.model.decoder(x, state_0)
        output = self.model.attend(state.unsqueeze(1), memory, keys).squeeze(1)
        logits = nn.functional.linear(output, self.model.embedding.weight)
        return {"logits": logits, "state_0": state, "state_1": output}


def build(kind, settings, weights):
    """The signatures of a model with the weights of Keras' model: dict to modules."""
    if kind == "translator":
        sizes = [settings[k] for k in ("vocabulary_size", "embedding_dim", "units")]
        model = torch_seq2seq.Seq2Seq(*sizes, "gru", "general", True, 0.0)
        torch_weights.translator(model, weights)
        return {"encode": Encode(model).eval(), "step": Step(model).eval()}
    if kind == "tagger":
        model = torch_tagger.Tagger(**settings)
        torch_weights.tagger(model, weights)
        return {"serve": Tag(model).eval()}
    builders = {"unet": torch_vision.UNet, "vit": torch_vision.VisionTransformer}
    model = builders[kind](**settings)
    getattr(torch_weights, kind)(model, weights)
    return {"serve": Image(model).eval()}


def write_litert(signatures, inputs, folder):
    """Writes all signatures to one file."""
    import litert_torch

    converter = None
    for name, module in signatures.items():
        if isinstance(module, Image):
            outputs = [0] if isinstance(module.model, torch_vision.UNet) else []
            module.model = litert_torch.to_channel_last_io(module.model, [0], outputs)
        add = (converter or litert_torch).signature
        converter = add(name, module, sample_kwargs=inputs[name])
    converter.convert(strict_export=False).export(str(folder / "litert_torch.tflite"))


def write_onnx(signatures, inputs, folder, dynamo):
    """Writes a file for each signature."""
    for name, module in signatures.items():
        # A state has one name, which ONNX does not allow for input and output.
        outputs = [f"out_{key}" for key in module(**inputs[name])]
        torch.onnx.export(
            module,
            kwargs=inputs[name],
            f=str(folder / f"{name}.onnx"),
            input_names=list(inputs[name]),
            output_names=outputs,
            dynamo=dynamo,
            external_data=False,
        )


def channels_first(tensors):
    """Images as PyTorch has them."""
    return {
        name: x.movedim(-1, 1).contiguous() if x.ndim == 4 else x
        for name, x in tensors.items()
    }


def main(file_format, folder):
    """Builds the signatures and writes them."""
    folder = pathlib.Path(folder)
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    with np.load(folder / "weights.npz") as arrays:
        signatures = build(**description, weights=dict(arrays))
    inputs = {name: {} for name in signatures}
    with np.load(folder / "inputs.npz") as arrays:
        for key in arrays.files:
            name, argument = key.split("/")
            if argument != "bias" and name in inputs:
                inputs[name][argument] = torch.from_numpy(arrays[key])
    if file_format != "litert_torch":  # that one transposes in its own way
        inputs = {name: channels_first(tensors) for name, tensors in inputs.items()}
    warnings.simplefilter("ignore")  # of the exporters, about themselves
    torch.backends.mha.set_fastpath_enabled(False)  # an op that nothing can export
    if file_format == "litert_torch":
        write_litert(signatures, inputs, folder)
    else:
        target = folder / file_format
        target.mkdir()
        write_onnx(signatures, inputs, target, file_format == "onnx_dynamo")


if __name__ == "__main__":
    main(*sys.argv[1:])
