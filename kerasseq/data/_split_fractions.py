"""Which parts of the data are held out."""


def check_fractions(validation_fraction, test_fraction):
    """Rejects fractions that leave a split empty."""
    if (
        min(validation_fraction, test_fraction) <= 0
        or validation_fraction + test_fraction >= 1
    ):
        raise ValueError(
            "`validation_fraction` and `test_fraction` must be above 0 and their sum "
            f"below 1. Received: validation_fraction={validation_fraction}, "
            f"test_fraction={test_fraction}"
        )
