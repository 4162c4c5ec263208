import pathlib
import random
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasseq import export, lite


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    def signatures(model):
        def serve(x):
            return {"y": model(x, training=False)}

        def add(ids, half):
            return {"total": ids + 1, "half": half / 2.0}

        specs = {"ids": ((1, 2), "int32"), "half": ((1,), "float32")}
        return {"serve": (serve, {"x": ((1, 4), "float32")}), "add": (add, specs)}

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    folder = tmp_path_factory.mktemp("lite") / "demo"
    export.export_model(model, folder, signatures=signatures)
    return folder / "model.tflite"


@pytest.fixture(scope="module")
def runner(path):
    return lite.Runner(path)


class TestBasics:
    def test_a_signature_without_states(self, runner):
        with pytest.raises(ValueError, match="inputs that are also outputs.*'serve'"):
            runner.stateful("serve")

    def test_signatures(self, runner):
        assert runner.signatures == {
            "serve": {
                "inputs": {"x": ((1, 4), "float32")},
                "outputs": {"y": ((1, 3), "float32")},
            },
            "add": {
                "inputs": {"ids": ((1, 2), "int32"), "half": ((1,), "float32")},
                "outputs": {"total": ((1, 2), "int32"), "half": ((1,), "float32")},
            },
        }

    def test_imports_neither_tensorflow_nor_keras(self, path):
        code = (
            "import sys; from kerasseq import lite\n"
            "result = lite.Runner(sys.argv[1]).run('add', ids=[[1, 2]], half=[3.0])\n"
            "print(result['total'].tolist(), result['half'].tolist())\n"
            "print([m for m in ('tensorflow', 'keras', 'jax') if m in sys.modules])"
        )
        output = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=pathlib.Path(lite.__file__).parents[1],
        ).stdout
        assert output.splitlines() == ["[[2, 3]] [1.5]", "[]"]

    def test_benchmark(self, runner):
        x = np.zeros((1, 4))
        assert 0 < runner.benchmark("serve", {"x": x}, repeats=3) < 1000
        assert 0 < runner.benchmark("serve", [{"x": x}, {"x": x}], repeats=1) < 1000


class TestNumbers:
    @pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "bool"])
    def test_harmless_casts(self, runner, dtype):
        ids = np.array([[1, 0]], dtype)
        result = runner.run("add", ids=ids, half=np.array([5.0], "float64"))
        assert result["total"].dtype == "int32"
        assert result["total"].tolist() == [[2, 1]]
        assert result["half"].tolist() == [2.5]

    def test_results_are_kept(self, runner):
        first = runner.run("add", ids=[[1, 2]], half=[1.0])["total"]
        runner.run("add", ids=[[5, 5]], half=[1.0])
        assert first.tolist() == [[2, 3]]


class TestErrors:
    @pytest.mark.parametrize(
        "inputs, message",
        [
            ({"ids": [[1, 2]]}, r"missing \['half'\], unknown \[\]"),
            ({"ids": [[1, 2]], "half": [1.0], "z": 0}, r"unknown \['z'\]"),
            ({"ids": [1, 2], "half": [1.0]}, r"\(1, 2\).*Received.*\(2,\)"),
            ({"ids": [[1.0, 2.0]], "half": [1.0]}, "int32.*float64"),
            ({"ids": [[1, 2**40]], "half": [1.0]}, "int32.*lose.*int64"),
            ({"ids": [[1, 2]], "half": [1]}, "float32.*lose.*int64"),
            ({"ids": [["a", "b"]], "half": [1.0]}, "'ids' must be int32"),
        ],
    )
    def test_inputs(self, runner, inputs, message):
        with pytest.raises(ValueError, match=message):
            runner.run("add", **inputs)

    def test_signature(self, runner):
        for name in (None, "greedy"):
            with pytest.raises(ValueError, match="pass one of .*'serve'"):
                runner.run(name, x=np.zeros((1, 4)))
        with pytest.raises(ValueError, match="Inputs are passed by name"):
            runner.run(np.zeros((1, 4)))

    def test_arguments(self, runner, path):
        with pytest.raises(ValueError, match="num_threads=0"):
            lite.Runner(path, num_threads=0)
        with pytest.raises(ValueError, match="at least one dict"):
            runner.benchmark("serve", [])

    def test_missing_file(self, tmp_path):
        with pytest.raises(ValueError, match="no file at this path.*nothing.tflite"):
            lite.Runner(tmp_path / "nothing.tflite")

    @pytest.mark.parametrize("fraction", [0, 0.001, 0.01, 0.2, 0.5, 0.8, 0.95, 0.999])
    def test_truncated_file(self, path, tmp_path, fraction):
        content = path.read_bytes()
        broken = tmp_path / "broken.tflite"
        broken.write_bytes(content[: int(len(content) * fraction)])
        with pytest.raises(ValueError, match="Received: path="):
            lite.Runner(broken)

    @pytest.mark.parametrize(
        "prefix", [b"", b"\x10\0\0\0TFL3", b"\xff\xff\xff\xffTFL3"]
    )
    def test_random_bytes(self, tmp_path, prefix):
        broken = tmp_path / "broken.tflite"
        for seed in range(10):
            broken.write_bytes(prefix + random.Random(seed).randbytes(3000))
            with pytest.raises(ValueError, match="Received: path="):
                lite.Runner(broken)
