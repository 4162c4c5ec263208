"""The tagger of `on_device_models` from PyTorch's own layers."""

from torch import nn


class Tagger(nn.Module):
    """Embedding, bidirectional LSTM, softmax: words to probabilities of tags."""

    def __init__(self, vocabulary_size, embedding_dim, units, num_tags):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, units, batch_first=True, bidirectional=True)
        self.tags = nn.Linear(2 * units, num_tags)

    def forward(self, words):
        return self.tags(self.lstm(self.embedding(words))[0]).softmax(-1)
