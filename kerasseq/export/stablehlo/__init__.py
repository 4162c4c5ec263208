"""The front end of models on JAX: StableHLO and LiteRT's converter."""
