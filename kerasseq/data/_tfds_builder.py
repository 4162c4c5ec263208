"""Prepares a TFDS data set, with an error that says why it cannot."""

import socket
import urllib.request


def prepared_builder(data, data_dir):
    """Returns the builder of a prepared data set, which is downloaded if possible.

    Args:
        data: String, `"tfds:NAME[/CONFIG]"`.
        data_dir: Folder of prepared data sets, or `None` for the default of TFDS.

    Raises:
        ValueError: For an unknown or unreachable data set.
    """
    import tensorflow_datasets as tfds

    name = data.removeprefix("tfds:")
    try:
        builder = tfds.builder(name, data_dir=data_dir)
        if not builder.is_prepared() and not _has_network():
            raise ConnectionError("it is not prepared there, and there is no network")
        builder.download_and_prepare()
    except Exception as error:  # TFDS passes on any error of its many sources
        reason = str(error).strip() or type(error).__name__
        reason = reason.splitlines()[0].rstrip(".")
        raise ValueError(
            f"Cannot load the TFDS data set {name!r} from "
            f"data_dir={str(data_dir)!r}: {reason[:200]}. Check its name, prepare it "
            "where there is a network, or pass the `data_dir` that holds it"
        ) from error
    return builder


def _has_network():
    # Without a network TFDS would retry for minutes.
    try:
        return urllib.request.getproxies() or socket.getaddrinfo(
            "storage.googleapis.com", 443
        )
    except OSError:
        return False
