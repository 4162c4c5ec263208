"""A plugin of pytest: Keras' own tests get our layers under Keras' names."""

import keras.src.layers

import kerasseq.layers

REPLACED = ("SimpleRNN", "LSTM", "GRU", "RNN", "MultiHeadAttention")

for name in REPLACED:
    setattr(keras.src.layers, name, getattr(kerasseq.layers, name))
