"""Text files, read whole, with errors that name file and place."""

import pathlib


def read_text(path, kinds):
    """The text of a UTF-8 file, with the ends of its lines as `\\n`.

    Args:
        path: Path of the file.
        kinds: What a user may give as `data`, for the error.

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
        raise ValueError(f"{str(path)!r} is empty; give a file with text")
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
    """The lines of a UTF-8 file; see `read_text`."""
    # Not splitlines(): it also breaks at characters that stand inside sentences.
    return read_text(path, kinds).removesuffix("\n").split("\n")
