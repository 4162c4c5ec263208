"""`kerasseq.models.transformer` from PyTorch's own `nn.Transformer`."""

import torch
from torch import nn


class Transformer(nn.Module):
    """Scaled and tied embeddings, sinusoidal positions, pre-norm, its own weights.

    Args:
        vocabulary_size: Number of subwords.
        hidden_dim: Features of a token.
        num_layers: Number of encoder and of decoder blocks.
        num_heads: Attention heads.
        mlp_dim: Width of the feed-forward hidden layers.
    """

    def __init__(self, vocabulary_size, hidden_dim, num_layers, num_heads, mlp_dim):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, hidden_dim)
        nn.init.normal_(self.embedding.weight, std=hidden_dim**-0.5)
        self.blocks = nn.Transformer(
            hidden_dim,
            num_heads,
            num_layers,
            num_layers,
            mlp_dim,
            dropout=0.0,
            norm_first=True,
            batch_first=True,
        )

    def forward(self, source, target):
        causal = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
        outputs = self.blocks(
            self._embed(source),
            self._embed(target),
            tgt_mask=causal,
            tgt_is_causal=True,
        )
        return nn.functional.linear(outputs, self.embedding.weight)

    def _embed(self, tokens):
        x = self.embedding(tokens)
        return x * x.shape[-1] ** 0.5 + _positions(*x.shape[1:])


def _positions(length, features):
    frequencies = 1e4 ** (-2 * torch.arange(features // 2) / features)
    angles = torch.arange(length)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)
