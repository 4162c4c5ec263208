"""Reads text files, with errors that name file and position."""

import pathlib


def read_text(path, kinds):
    """Reads a UTF-8 file, with all line ends as `\\n`.

    Args:
        path: Path of the file.
        kinds: Description of other values of `data`, for the error message.

    Raises:
        ValueError: If the file cannot be read, is empty or not UTF-8.
    """
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise ValueError(
            f"Cannot read {str(path)!r} ({error.strerror}); `data` is 'synthetic', "
            f"'tfds:NAME', {kinds}"
        ) from error
    if not content.strip():
        raise ValueError(f"{str(path)!r} is empty; pass a file with text")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{str(path)!r} is not UTF-8 at line {line}, byte {error.start}; convert "
            f"it, e.g. with iconv. Received: byte 0x{content[error.start]:02x}"
        ) from error
    return text.replace("\r\n", "\n")


def read_lines(path, kinds):
    """Reads the lines of a UTF-8 file; see `read_text`."""
    # Not `splitlines`, which also splits at characters that occur inside sentences.
    return read_text(path, kinds).removesuffix("\n").split("\n")
