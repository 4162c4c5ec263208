"""The number of programs that XLA compiles for one `fit`."""


def count_compiles(train_data, validation_data=None):
    """Counts the programs that XLA compiles for one `fit`.

    XLA compiles the training step and the evaluation step once per distinct batch
    shape. Neither TensorFlow nor Keras reports how often it compiled, so this
    function counts the shapes that the data declare. The tests compare the result
    with the programs that XLA dumps on TensorFlow and with the compile events on
    JAX. Small programs outside the two steps are not counted.

    Args:
        train_data: Training data with an attribute `shapes`: one hashable entry
            per batch or per bucket; batches of equal shape have equal entries.
        validation_data: Optional validation data with the same attribute.

    Returns:
        The number of compiled steps, an integer.

    Raises:
        ValueError: If the data have no attribute `shapes`.

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
