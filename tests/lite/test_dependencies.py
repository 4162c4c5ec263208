"""What a device has: NumPy and ai_edge_litert with what that needs, nothing else."""

import json
import subprocess
import sys

import pytest

from kerasseq.lite import packed_files
from tests.lite import hand_made

CODE = """
import importlib.abc, sys

ALLOWED = {
    "kerasseq", "numpy", "ai_edge_litert", "flatbuffers", "ml_dtypes", "tqdm", "google",
    "typing_extensions", "backports", *sys.stdlib_module_names,
}

class OnlyAllowed(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in ALLOWED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, OnlyAllowed())
from kerasseq import doctor, lite
for name in lite.__all__:
    getattr(lite, name)
"""


def run(code, *arguments):
    command = [sys.executable, "-c", CODE + code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_everything_is_there():
    assert run("print(lite.Runner.__name__)") == "Runner\n"


def test_images_in_memory(tmp_path):
    path = hand_made.classifier(tmp_path / "model.tflite")
    packed_files.pack(path, {"labels.json": b'["cat", "dog", "owl"]'})
    code = (
        "import numpy as np\n"
        "image = np.full((8, 8, 3), [1, 9, 2])\n"
        "print(lite.ImageClassifier(sys.argv[1]).classify(image))\n"
        "print(doctor.examine(sys.argv[1], time_limit=120)['status'])"
    )
    assert run(code, path) == "('dog', 9.0)\nhealthy\n"


def test_characters(tmp_path):
    path = hand_made.generator(tmp_path / "model.tflite")
    characters = json.dumps(list("abcdefgh")).encode()
    packed_files.pack(path, {"characters.json": characters})
    code = "print(lite.TextGenerator(sys.argv[1])('face'))"
    assert run(code, path) == "face\n"


@pytest.mark.parametrize(
    "code",
    [
        "from kerasseq.lite import _sentence_piece; _sentence_piece.processor(b'1')",
        "from kerasseq.lite import image_files",
    ],
)
def test_what_is_missing_is_named(code):
    command = [sys.executable, "-c", CODE + code]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ") and "`pip install " in last
