"""`kerasseq.models.seq2seq` from PyTorch's own layers, with the same weights."""

import torch
from torch import nn


class Seq2Seq(nn.Module):
    """Bidirectional encoder, bridge, attention decoder, tied embeddings; one layer.

    The recurrent layers have one bias, as Keras' (but the GRU, which has two). Without
    input feeding the decoder is one call of PyTorch's fused layer, and the attention
    one for all steps.

    Args:
        vocabulary_size: Number of subwords.
        embedding_dim: Size of the embeddings.
        units: Size of the decoder's state.
        cell: `"lstm"` or `"gru"`.
        attention: `"additive"`, `"dot"` or `"general"`.
        input_feeding: Whether a decoder step also gets the step before's output.
        dropout: Float, as there.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        units,
        cell,
        attention,
        input_feeding,
        dropout,
    ):
        super().__init__()
        self.attention, self.input_feeding = attention, input_feeding
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        nn.init.normal_(self.embedding.weight, std=embedding_dim**-0.5)
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.encoder = layer(
            embedding_dim, units // 2, batch_first=True, bidirectional=True
        )
        kinds = 2 if cell == "lstm" else 1
        self.bridges = nn.ModuleList(nn.Linear(units, units) for _ in range(kinds))
        if input_feeding:
            one = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[cell]
            self.decoder = one(2 * embedding_dim, units)
        else:
            self.decoder = layer(embedding_dim, units, batch_first=True)
        if attention != "dot":
            self.key = nn.Linear(units, units, bias=False)
        if attention == "additive":
            self.query = nn.Linear(units, units, bias=False)
            self.score = nn.Parameter(torch.randn(units) / units**0.5)
        self.output = nn.Linear(2 * units, embedding_dim)
        self.dropout = nn.Dropout(dropout)
        if cell == "lstm":
            _one_bias(self.encoder)
            _one_bias(self.decoder)

    def forward(self, source, target):
        memory, keys, states = self.encode(source)
        embedded = self.dropout(self.embedding(target))
        decode = self._step_by_step if self.input_feeding else self._at_once
        outputs = self.dropout(decode(embedded, memory, keys, states))
        return nn.functional.linear(outputs, self.embedding.weight)

    def encode(self, source):
        """The memory, its keys and the decoder's first states, of source tokens."""
        memory, states = self.encoder(self.dropout(self.embedding(source)))
        states = states if isinstance(states, tuple) else (states,)
        states = [
            bridge(torch.cat((*state,), -1)).tanh()
            for bridge, state in zip(self.bridges, states, strict=True)
        ]
        memory = self.dropout(memory)
        keys = memory if self.attention == "dot" else self.key(memory)
        if self.attention != "additive":
            keys = keys / keys.shape[-1] ** 0.5
        return memory, keys, states

    def _step_by_step(self, embedded, memory, keys, states):
        fed, outputs = torch.zeros_like(embedded[:, 0]), []
        states = tuple(states) if len(states) == 2 else states[0]
        for x in embedded.unbind(1):
            states = self.decoder(torch.cat([x, fed], -1), states)
            top = states[0] if isinstance(states, tuple) else states
            fed = self.attend(top.unsqueeze(1), memory, keys).squeeze(1)
            outputs.append(fed)
        return torch.stack(outputs, 1)

    def _at_once(self, embedded, memory, keys, states):
        states = [state.unsqueeze(0) for state in states]
        states = tuple(states) if len(states) == 2 else states[0]
        return self.attend(self.decoder(embedded, states)[0], memory, keys)

    def attend(self, top, memory, keys):
        """Of all steps: `(batch, steps, units)` and `(batch, length, units)`."""
        if self.attention == "additive":
            hidden = (self.query(top).unsqueeze(2) + keys.unsqueeze(1)).tanh()
            scores = hidden @ self.score
        else:
            scores = top @ keys.transpose(1, 2)
        attended = scores.softmax(-1) @ memory
        return self.output(torch.cat([top, attended], -1)).tanh()


def _one_bias(layer):
    """Takes one of the two biases of the gates out of training, and leaves it zero."""
    for name in [name for name, _ in layer.named_parameters()]:
        if name.startswith("bias_hh"):
            nn.init.zeros_(getattr(layer, name))
            getattr(layer, name).requires_grad_(False)
