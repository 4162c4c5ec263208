"""How many programs XLA compiles for one `fit`."""


def count_compiles(train_data, validation_data=None):
    """Counts the programs that XLA compiles for one `fit`.

    XLA compiles a step once per distinct shape of a batch, the training step and
    the evaluation step apart. Neither TensorFlow nor Keras tells Python how often
    it did, so the figure is counted from the shapes that the data declare; the
    tests hold it against the programs that XLA dumps on TensorFlow and against the
    compile events on JAX. Small programs outside the two steps do not count.

    Args:
        train_data: Training data with an attribute `shapes`: one hashable entry
            per batch or per bucket, equal where the batches' shapes are equal.
        validation_data: Optional validation data with the same attribute.

    Returns:
        The number of compiled steps, an integer.

    Raises:
        ValueError: If data have no `shapes`.

    Example:

    >>> train_data.shapes  # (batch_size, length) of each bucket
    [(64, 16), (32, 32)]
    >>> kerasseq.training.count_compiles(train_data)
    2
    """
    data = [train_data] if validation_data is None else [train_data, validation_data]
    return sum(len(_shapes(part)) for part in data)


def _shapes(data):
    if not hasattr(data, "shapes"):
        raise ValueError(
            "Counting compiles needs data with an attribute `shapes`, such as "
            f"`[(64, 16), (32, 32)]`. Received: {type(data).__name__}"
        )
    return set(data.shapes)
