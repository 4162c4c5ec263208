"""The front end of models on JAX: StableHLO and LiteRT's converter."""

TABLE = "signatures.json"  # of a folder of artifacts: names of inputs and outputs
# Names of composites, which become one op each.
LSTM = "kerasseq.lstm"  # of `kerasseq.ops._fused_lstm_jax`
RESIZE_BILINEAR = "kerasseq.resize_bilinear"
RESIZE_NEAREST = "kerasseq.resize_nearest_neighbor"
