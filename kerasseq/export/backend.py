"""The one condition of an export: Keras runs on TensorFlow."""

import importlib.util


def require_tensorflow() -> None:
    """Raises unless TensorFlow is installed and is the backend of Keras.

    Raises:
        ImportError: If it is not; the message says what to do.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "Exporting needs the TensorFlow backend, and TensorFlow is not "
            "installed. Run `pip install tensorflow`."
        )
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ImportError(
            "Exporting needs the TensorFlow backend. Save the model as a `.keras` "
            "file and export it in a process started with KERAS_BACKEND=tensorflow. "
            f"Received: KERAS_BACKEND={keras.backend.backend()}"
        )
