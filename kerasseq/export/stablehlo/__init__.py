"""The front end of models on JAX: StableHLO and LiteRT's converter."""

TABLE = "signatures.json"  # of a folder of artifacts: names of inputs and outputs
