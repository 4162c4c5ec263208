"""Which formats are read; how, `tests/data/test_image_files.py` shows."""

import os

import numpy as np
import pytest
from PIL import Image

from kerasseq.lite import image_files

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A `gs` on the path that leaves a trace when somebody starts it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gs").write_text(f"#!/bin/sh\ntouch {folder}/started\nexit 1\n")
    (folder / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_no_program_is_started(programs, tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(POSTSCRIPT + b"showpage\n%%EOF\n")
    with pytest.raises(ValueError, match=r"cat.png'.*not an image \(BMP, GIF, JPEG"):
        image_files.read_image(path, (8, 8), 3)
    assert not (programs / "started").exists()


@pytest.mark.parametrize("suffix", image_files.SUFFIXES)
def test_each_suffix(tmp_path, suffix):
    image = np.full((8, 8), 200, "uint8")
    Image.fromarray(image).save(tmp_path / f"a{suffix}")
    found = image_files.read_image(tmp_path / f"a{suffix}", num_channels=1)
    assert np.abs(found[..., 0] - 200.0).max() < 3


def test_photograph_with_several_pictures(tmp_path):
    """Phones write them as `.jpg`; the first is read."""
    first, second = (Image.new("RGB", (8, 8), color) for color in ("red", "blue"))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    pixel = image_files.read_image(tmp_path / "a.jpg")[0, 0]
    assert np.abs(pixel - [255.0, 0, 0]).max() < 4
