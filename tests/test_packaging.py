"""What the package installs and imports, and the device that has LiteRT and NumPy."""

import ast
import configparser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import venv
import zipfile

import keras
import pytest

import kerasseq

ROOT = pathlib.Path(__file__).parents[1]
# The module of each package that the core installation brings, where it differs.
CORE_MODULES = {
    "absl-py": "absl",
    "keras-nlp": "keras_nlp",
    "pillow": "PIL",
    "tensorflow-datasets": "tensorflow_datasets",
}
# Of Keras and of LiteRT; of the extra `litert`, and of the device (`pip install
# sentencepiece`), where the import itself stands in a `try` or behind a check.
OF_EXTRAS = {"ai_edge_quantizer", "jax", "litert_converter", "sentencepiece"}
THROUGH_OTHERS = {"flatbuffers", "h5py", *OF_EXTRAS}
NOT_ON_A_DEVICE = ("keras", "tensorflow", "jax", "PIL", "matplotlib", "sentencepiece")
ONLY_RECIPES = ("babel", "matplotlib", "nervaluate", "sacrebleu", "scipy")
ONLY_RECIPES += ("sentencepiece", "sklearn")


BLOCK = """
import sys


class Block:
    def find_spec(self, name, path=None, target=None):
        if name in {packages}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)


sys.meta_path.insert(0, Block())
"""
USE = """
import sys
import numpy as np
from kerasseq import lite
outputs = lite.Runner(sys.argv[1]).run(x=np.ones((1, 4)))
assert [x.shape for x in outputs.values()] == [(1, 2)], outputs
assert not {"keras", "tensorflow", "jax"} & {*sys.modules}
"""


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    model = keras.Sequential(
        [keras.layers.Input((4,), name="x"), keras.layers.Dense(2)]
    )
    kerasseq.export.export_model(model, folder)
    return folder / "model.tflite"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # A copy: the `build/` of an earlier build would come along.
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "kerasseq", source / "kerasseq")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps")
    run(*build, "--wheel-dir", str(source), str(source))
    return next(source.glob("*.whl"))


def python_without(folder, *packages):
    """The environment of processes, and of theirs, that cannot import packages."""
    (folder / "sitecustomize.py").write_text(BLOCK.format(packages=packages))
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def requirements(section, key):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    lines = settings[section][key].splitlines()
    names = [re.match(r"[\w.-]*", line).group() for line in lines]
    return [name for name in names if name]


class TestImports:
    def test_the_core_brings_what_the_package_imports(self):
        core = requirements("options", "install_requires")
        known = {CORE_MODULES.get(name, name.replace("-", "_")) for name in core}
        known |= THROUGH_OTHERS | {"kerasseq"} | sys.stdlib_module_names
        found = {}
        for path in (ROOT / "kerasseq").rglob("*.py"):
            for name in imported(ast.parse(path.read_text())):
                found.setdefault(name, path.relative_to(ROOT))
        assert {x: str(path) for x, path in found.items() if x not in known} == {}

    def test_recipes_bring_the_rest(self):
        extra = requirements("options.extras_require", "recipes")
        modules = {"sklearn" if x == "scikit-learn" else x for x in extra}
        assert modules == {*ONLY_RECIPES, "tensorboard"}

    def test_an_extra_that_is_missing(self, tmp_path):
        environment = python_without(tmp_path, *ONLY_RECIPES)
        code = """
import kerasseq, kerasseq.data
missing = []
for name in kerasseq.data.__all__:
    try:
        getattr(kerasseq.data, name)
    except ImportError as error:
        assert 'pip install "kerasseq[recipes]"' in str(error), error
        missing.append(name)
print(*missing)
kerasseq.export.export_model, kerasseq.convert.from_keras, kerasseq.training
text = "a\\tb\\n" * 100 + "".join(f"{i}\\t{i}\\n" for i in range(100))
open("pairs.tsv", "w").write(text)
print(len(kerasseq.data.load_parallel_text("pairs.tsv").train))
try:
    kerasseq.data.load_labeled_images("synthetic")
except ImportError as error:
    print(error)
"""
        text = run(sys.executable, "-c", code, env=environment, cwd=tmp_path)
        missing, count, error = text.splitlines()
        assert {"locale_phrases", "generated_cells"} <= set(missing.split())
        assert not {"load_parallel_text", "load_masked_images"} & set(missing.split())
        assert int(count) > 50 and "`sklearn` is needed" in error


class TestDevice:
    def test_doctor(self, model_file, tmp_path):
        environment = python_without(tmp_path, *NOT_ON_A_DEVICE)
        command = (sys.executable, "-m", "kerasseq.cli", "doctor", str(model_file))
        text = run(*command, "--run", "--json", env=environment, cwd=tmp_path)
        assert json.loads(text)["status"] == "healthy"

    def test_runner(self, model_file, tmp_path):
        environment = python_without(tmp_path, *NOT_ON_A_DEVICE)
        run(sys.executable, "-c", USE, str(model_file), env=environment, cwd=tmp_path)


class TestWheel:
    @pytest.mark.slow
    def test_contents(self, wheel):
        with zipfile.ZipFile(wheel) as file:
            names = file.namelist()
            metadata = file.read(f"{information_of(names)}/METADATA").decode()
        assert {name.split("/")[0] for name in names} == {
            "kerasseq",
            information_of(names),
        }
        assert "kerasseq/py.typed" in names
        assert len(names) > len(list((ROOT / "kerasseq").rglob("*.py")))
        assert "Description-Content-Type: text/markdown" in metadata
        assert "Provides-Extra: recipes" in metadata

    @pytest.mark.slow
    def test_where_there_is_no_keras(self, wheel, model_file, tmp_path):
        venv.create(tmp_path, with_pip=True)
        python = str(tmp_path / "bin" / "python")
        install = (python, "-m", "pip", "install", "--quiet")
        run(*install, "--no-deps", str(wheel))
        run(*install, "ai-edge-litert", "numpy")
        found = run(python, "-m", "pip", "list").lower()
        assert "keras " not in found and "tensorflow" not in found
        command = str(tmp_path / "bin" / "kerasseq")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        options = {"env": environment, "cwd": tmp_path}
        assert kerasseq.__version__ in run(command, "--version", **options)
        assert "HEALTHY" in run(command, "doctor", str(model_file), **options)
        run(python, "-c", USE, str(model_file), **options)


def imported(tree):
    """The first names of the modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def information_of(names):
    return next(x.split("/")[0] for x in names if ".dist-info/" in x)
