"""A Vision Transformer and a U-Net of PyTorch's own layers, for comparison.

They have the sizes, operations and trainable weights of `kerasseq.models.vit` and
`kerasseq.models.unet` with default arguments, written as a PyTorch user would; the
first may have their stem of convolutions and mean pooling.
"""

import math

import torch
from torch import nn


class VisionTransformer(nn.Module):
    """Images `(batch, channels, height, width)` to logits `(batch, classes)`."""

    def __init__(
        self,
        input_shape,
        num_classes,
        *,
        patch_size,
        hidden_dim,
        num_layers,
        num_heads,
        mlp_dim,
        stem="patch",
        pooling="token",
    ):
        super().__init__()
        height, width, channels = input_shape
        length = (height // patch_size) * (width // patch_size)
        if stem == "patch":
            self.patches = nn.Conv2d(channels, hidden_dim, patch_size, patch_size)
        else:
            self.patches = _stem(channels, hidden_dim, patch_size)
        self.class_token = None
        if pooling == "token":
            length += 1
            self.class_token = nn.Parameter(torch.zeros(1, 1, hidden_dim))
        self.positions = nn.Parameter(0.02 * torch.randn(1, length, hidden_dim))
        block = nn.TransformerEncoderLayer(
            hidden_dim,
            num_heads,
            mlp_dim,
            dropout=0.0,
            activation="gelu",
            layer_norm_eps=1e-6,
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(
            block,
            num_layers,
            nn.LayerNorm(hidden_dim, eps=1e-6),
            enable_nested_tensor=False,
        )
        self.logits = nn.Linear(hidden_dim, num_classes)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        if self.class_token is None:
            return self.logits(self.encoder(tokens + self.positions).mean(1))
        first = self.class_token.expand(len(tokens), -1, -1)
        tokens = torch.cat([first, tokens], dim=1) + self.positions
        return self.logits(self.encoder(tokens)[:, 0])


class UNet(nn.Module):
    """Images `(batch, channels, height, width)` to logits of every pixel."""

    def __init__(self, input_shape, num_classes, *, width, depth):
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        channels = [input_shape[-1], *widths]
        self.down = nn.ModuleList(map(_convolutions, channels[:-1], channels[1:]))
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, 2) for width in widths[-2::-1]
        )
        self.up = nn.ModuleList(
            _convolutions(2 * width, width) for width in widths[-2::-1]
        )
        self.logits = nn.Conv2d(width, num_classes, 1)

    def forward(self, images):
        *stages, bottom = self.down
        x, skips = images, []
        for stage in stages:
            skips.append(stage(x))
            x = self.pool(skips[-1])
        x = bottom(x)
        for grow, stage in zip(self.grow, self.up, strict=True):
            x = stage(torch.cat([skips.pop(), grow(x)], dim=1))
        return self.logits(x)


def _stem(channels, hidden_dim, patch_size):
    """3 x 3 convolutions of stride 2, padded where Keras pads them."""
    steps = int(math.log2(patch_size))
    widths = [max(hidden_dim // 2 ** (steps - 1 - index), 8) for index in range(steps)]
    layers = []
    for inputs, width in zip([channels, *widths], widths, strict=False):
        layers += [
            nn.ZeroPad2d((0, 1, 0, 1)),
            nn.Conv2d(inputs, width, 3, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], hidden_dim, 1))


def _convolutions(channels, width):
    layers = []
    for inputs in (channels, width):
        layers += [
            nn.Conv2d(inputs, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)
