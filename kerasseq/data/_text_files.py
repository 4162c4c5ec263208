"""Reads text files, with errors that name file and position."""

import pathlib
import re

_OTHERS = {  # how files begin that are taken for text
    b"\x1f\x8b": "compressed by gzip; unpack it with gunzip",
    b"PK\x03\x04": "a zip archive, as .xlsx is; unpack it, or save the table as CSV",
    b"\xff\xfe": "written as UTF-16; save it as UTF-8",
    b"\xfe\xff": "written as UTF-16; save it as UTF-8",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


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
    for begin, what in _OTHERS.items():
        if content.startswith(begin):
            raise ValueError(f"{str(path)!r} is no text file: it is {what}")
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


def refuse_surrogates(text, where):
    """Refuses half of a surrogate pair, which UTF-8, and so no file, can hold.

    JSON can write one, as `\\ud83d`, and a name of a file that is not UTF-8 has some.

    Args:
        text: A string.
        where: Where it stands, for the message.

    Raises:
        ValueError: naming the place and the character.
    """
    found = _SURROGATE.search(text)
    if found:
        raise ValueError(
            f"{where}: half of a surrogate pair is no character; write the whole pair, "
            f"or remove it. Received: {ascii(found[0])[1:-1]} in {ascii(text)[:60]}"
        )


def checked_texts(texts):
    """A list of texts, none of them with half of a surrogate pair.

    Raises:
        ValueError: naming the text by its number.
    """
    texts = list(texts)
    for number, text in enumerate(texts, 1):
        refuse_surrogates(text, f"text {number}")
    return texts


def read_lines(path, kinds):
    """Reads the lines of a UTF-8 file; see `read_text`."""
    # Not `splitlines`, which also splits at characters that occur inside sentences.
    return read_text(path, kinds).removesuffix("\n").split("\n")
