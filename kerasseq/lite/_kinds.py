"""What a file is that is not a `.tflite` file, and what to do with it."""

from typing import NamedTuple

HEAD = 512  # bytes of the beginning of a file that are enough to tell


class Kind(NamedTuple):
    """What a file is.

    Attributes:
        name: With its article, as in "a PNG image".
        do: What to do with it.
    """

    name: str
    do: str


_EXPORT = "load it with the framework that wrote it, and export from there"
_COMPILED = "it runs on that device alone: use the `.tflite` it was made from"
_DOWNLOAD = "the download failed: fetch the file again"
# `(where, bytes, name, what to do)`
_KINDS = (
    (0, b"LITERTLM", "a LiteRT-LM bundle", "`kerasseq doctor` opens it"),
    (
        0,
        b"PK\3\4",
        "a ZIP archive",
        "load and export a `.keras` file; unpack a `.task` file, the `.tflite` is "
        "inside (`kerasseq doctor` looks into it)",
    ),
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer",
        "fetch the file that it stands for with `git lfs pull`",
    ),
    (0, b"\x89PNG", "a PNG image", "give the model"),
    (0, b"\xff\xd8\xff", "a JPEG image", "give the model"),
    (
        0,
        b"\x89HDF",
        "an HDF5 file of weights",
        "load them into their model, then export it",
    ),
    (0, b"GGUF", "a GGUF file", "it runs in llama.cpp; " + _EXPORT),
    (0, b"\x1f\x8b", "a gzip file", "unpack it"),
    (257, b"ustar", "a tar archive", "unpack it"),
    (4, b"ORTM", "a model of ONNX Runtime", _EXPORT),
    (4, b"ET12", "an ExecuTorch program", _EXPORT),
    (0, b"RKNN", "a model compiled for Rockchip's NPU", _COMPILED),
    (0, b"\x01HEF", "a model compiled for Hailo's accelerators", _COMPILED),
    (0, b"VPMN", "a model compiled for VeriSilicon's NPU", _COMPILED),
    (0, b"\x7fELF", "a compiled program or library", "give the model"),
    (0, b"<!", "a web page", _DOWNLOAD),
    (0, b"<html", "a web page", _DOWNLOAD),
    (0, b'{"', "a JSON text", "give the model; of a service's error " + _DOWNLOAD),
)


def of(head: bytes) -> Kind | None:
    """What a file is by its first bytes; `None` if they say nothing.

    Args:
        head: The first `HEAD` bytes, or more.
    """
    for start, magic, name, do in _KINDS:
        if head[start : start + len(magic)].lower() == magic.lower():
            return Kind(name, do)
    return None
