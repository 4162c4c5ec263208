"""`export_model` on JAX, through StableHLO and without TensorFlow."""

import importlib.util
import json

import jax
import keras
import numpy as np
import pytest

from kerasseq import cli, decoding, export, layers, lite, models
from kerasseq.export import front_ends

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="needs JAX")
SHAPE = (2, 6, 8)


def export_function(function, folder, inputs, model=None, **options):
    """Exports a function of named arrays; its entry of the report."""
    specs = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}
    report = export.export_model(
        model or keras.Sequential([keras.Input((2,)), keras.layers.ReLU()]),
        folder,
        signatures=lambda twin: {"serve": (function, specs)},
        samples={"serve": [inputs]},
        **options,
    )
    return report["artifacts"][0]


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def dense_and_gru(**options):
    x = keras.Input((12, 8), name="x")
    y = layers.GRU(32, name="gru")(keras.layers.Dense(32, name="first", **options)(x))
    return keras.Model(x, keras.layers.Dense(40, name="last")(y))


class TestFiles:
    def test_a_recurrent_model(self, tmp_path):
        (tmp_path / "saved_model").mkdir()  # of an earlier export on TensorFlow
        report = export.export_model(dense_and_gru(), tmp_path)
        (entry,) = report["artifacts"]
        assert entry["max_abs_diff"] < 1e-5
        assert entry["flex_ops"] == entry["custom_ops"] == []
        assert {"while", "unrolled"} <= entry["lowerings"].keys()
        assert any("saved_model" in line for line in report["warnings"])
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {"model.tflite", "report.json", "report.html"}
        assert json.loads((tmp_path / "report.json").read_text()) == report

    def test_a_loop_stays_a_loop(self, tmp_path):
        model = dense_and_gru()
        report = export.export_model(model, tmp_path, loop_strategy="while")
        assert report["artifacts"][0]["ops"]["WHILE"] == 1

    @pytest.mark.parametrize("backwards", [False, True])
    def test_an_lstm_is_one_op(self, backwards, tmp_path):
        x = keras.Input((12, 8), name="x")
        lstm = layers.LSTM(16, go_backwards=backwards, return_state=True)
        h, *states = lstm(x)
        y = layers.LSTM(5)(
            keras.ops.flip(x, 1), initial_state=[s[:, :5] for s in states]
        )
        model = keras.Model(x, {"h": h, "c": states[1], "y": y})
        samples = {"x": normal(6, 12, 8)}
        report = export.export_model(
            model,
            tmp_path,
            loop_strategy="fused",
            samples=samples,
            quantize=["float16"],
        )
        for entry in report["artifacts"]:
            assert entry["ops"]["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 2
            assert "WHILE" not in entry["ops"]
            limit = 1e-5 if entry["precision"] == "float32" else 1e-2
            assert entry["max_abs_diff"] < limit
        # The op overwrites its states: a second run starts with those of the model.
        runner = lite.Runner(tmp_path / "model.tflite")
        once, twice = (runner.run(x=samples["x"][:1]) for _ in range(2))
        assert all((once[name] == twice[name]).all() for name in once)

    def test_signatures_share_weights(self, tmp_path):
        model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(500)])

        def signatures(twin):
            specs = {"x": ((1, 64), "float32")}
            twice = (lambda x: {"y": keras.ops.tanh(twin(x))}, specs)
            return {"once": (lambda x: {"y": twin(x)}, specs), "twice": twice}

        report = export.export_model(model, tmp_path, signatures=signatures)
        assert report["artifacts"][0]["signatures"] == ["once", "twice"]
        assert report["artifacts"][0]["bytes"] < 1.1 * 4 * model.count_params()
        runner = lite.Runner(tmp_path / "model.tflite")
        x = normal(1, 64)
        once, twice = (runner.run(name, x=x)["y"] for name in ("once", "twice"))
        np.testing.assert_allclose(np.tanh(once), twice, atol=1e-5)

    def test_names_and_dtypes_stay(self, tmp_path):
        inputs = {
            "x-y": normal(1, 3),
            "in put": np.array([[1, 2, 3]], "int32"),
            "größe": np.array([[1, 2, 3]], "uint8"),
            "mask": np.array([[True, False, True]]),
            "unused": normal(2),
        }

        def function(**tensors):
            rest = [keras.ops.cast(tensors[x], "float32") for x in ("in put", "größe")]
            kept = keras.ops.where(tensors["mask"], tensors["x-y"], 0.0)
            return {"summe über": sum(rest, kept), "x-y": tensors["x-y"], "2": kept}

        export_function(function, tmp_path, inputs)
        sides = lite.Runner(tmp_path / "model.tflite").signatures["serve"]
        expected = {name: (x.shape, x.dtype.name) for name, x in inputs.items()}
        assert sides["inputs"] == expected
        assert sides["outputs"].keys() == {"summe über", "x-y", "2"}

    @pytest.mark.slow
    def test_search_finds_the_tokens_of_the_model(self, tmp_path):
        keras.utils.set_random_seed(0)
        model = models.seq2seq(30, embedding_dim=16, units=16)
        report = export.export_model(
            model,
            tmp_path,
            signatures=lambda twin: decoding.translation_signatures(twin, 6, 8),
        )
        parity = report["artifacts"][0]["parity"]
        assert {"encode", "step", "greedy", "beam"} <= parity.keys()
        agreement = {name: x["token_agreement"] for name, x in parity.items()}
        assert agreement["greedy"] == agreement["beam"] == 1.0

    @pytest.mark.parametrize("precision", ["float16", "dynamic"])
    def test_smaller_weights(self, precision, tmp_path):
        report = export.export_model(dense_and_gru(), tmp_path, quantize=[precision])
        full, small = report["artifacts"]
        assert (
            small["bytes"] < full["bytes"] * {"float16": 0.8, "dynamic": 0.7}[precision]
        )
        assert 0 < small["max_abs_diff"] < 0.1

    def test_an_embedding_is_stored_in_int8(self, tmp_path):
        ids = keras.Input((6,), dtype="int32", name="ids")
        table = keras.layers.Embedding(300, 64, embeddings_initializer="normal")
        model = keras.Model(ids, keras.layers.Dense(64)(table(ids)))
        report = export.export_model(model, tmp_path, quantize=["dynamic"])
        full, dynamic = report["artifacts"]
        assert dynamic["bytes"] < 0.4 * full["bytes"]
        assert dynamic["int8_share"] == 1.0
        assert dynamic["max_abs_diff"] < 0.01

    @pytest.mark.slow
    def test_signatures_that_share_weights_in_int8(self, tmp_path):
        """The quantizer tells tensors apart by names, and stops at shared data."""
        body = layers.WindowTransformer(num_layers=1, num_heads=2, mlp_dim=64, window=8)
        model = models.language_model(50, body, embedding_dim=32)

        def signatures(twin):
            return decoding.generation_signatures(twin, 4, 8) | (
                decoding.step_signature(twin)
            )

        report = export.export_model(
            model, tmp_path, signatures=signatures, quantize=["dynamic"]
        )
        full, dynamic = report["artifacts"]
        assert dynamic["bytes"] < 0.75 * full["bytes"] and dynamic["int8_share"] == 1.0
        assert dynamic["parity"]["step"]["max_abs_diff"] < 0.1

    @pytest.mark.parametrize("block_size", [None, 32])
    def test_int4(self, block_size, tmp_path):
        model = keras.Sequential(
            [
                keras.Input((64,), name="x"),
                keras.layers.Dense(256),
                keras.layers.Dense(64),
            ]
        )
        report = export.export_model(
            model, tmp_path, quantize=["dynamic", export.Int4(block_size)]
        )
        full, dynamic, int4 = report["artifacts"]
        assert int4["file"] == "model_int4.tflite" and int4["int8_share"] == 1.0
        assert int4["bytes"] < 0.7 * dynamic["bytes"] < 0.4 * full["bytes"]
        assert 0 < int4["max_abs_diff"] < 0.5
        assert int4["flex_ops"] == int4["custom_ops"] == []

    def test_int4_in_blocks_that_do_not_fit(self, tmp_path):
        model = keras.Sequential([keras.Input((50,)), keras.layers.Dense(99)])
        report = export.export_model(model, tmp_path, quantize=[export.Int4(32)])
        assert [entry["file"] for entry in report["artifacts"]] == ["model.tflite"]
        assert "divisible by block size 32" in report["warnings"][0]
        with pytest.raises(ValueError, match="Received: block_size=7"):
            export.Int4(7)

    def test_int8(self, tmp_path):
        model = keras.Sequential(
            [
                keras.Input((8, 8, 3), name="image"),
                keras.layers.Conv2D(64, 3, activation="relu", name="conv"),
                keras.layers.Flatten(),
                keras.layers.Dense(16, name="last"),
            ]
        )
        data = {"image": normal(50, 8, 8, 3)}
        quantize = [export.Int8(data)]
        report = export.export_model(model, tmp_path, samples=data, quantize=quantize)
        full, int8 = report["artifacts"]
        assert int8["int8_share"] == 1.0
        assert int8["bytes"] < 0.5 * full["bytes"]
        assert int8["max_abs_diff"] < 0.1
        errors = {row["layer"]: row["relative_error"] for row in int8["error_by_layer"]}
        assert {"conv", "last"} <= errors.keys() and 0 < max(errors.values()) < 0.1
        sides = lite.Runner(tmp_path / "model_int8.tflite").signatures["serve"]
        assert sides["inputs"]["image"] == ((1, 8, 8, 3), "float32")
        for floats in ({"float_layers": ["last"]}, {"float_ops": ["FULLY_CONNECTED"]}):
            quantize = [export.Int8(data, **floats)]
            report = export.export_model(
                model, tmp_path, samples=data, quantize=quantize
            )
            assert 0 < report["artifacts"][1]["int8_share"] < 1.0


class TestGraphs:
    """Patterns that come out longer, or wrong, unless they are rewritten."""

    @pytest.mark.parametrize("axes", [(0, 2, 1, 3), (0, 2, 3, 1), (3, 1, 0, 2)])
    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_a_transpose_of_what_is_repeated(self, axis, axes, tmp_path):
        shape = [3, 4, 2, 5]
        shape[axis] = 1

        def function(x):
            repeated = keras.ops.repeat(x, 3, axis=axis)
            added = keras.ops.zeros((3, 4, 2, 5)) + x
            outputs = {"repeated": repeated, "added": added}
            return {k: keras.ops.transpose(v, axes) for k, v in outputs.items()}

        entry = export_function(function, tmp_path, {"x": normal(*shape)})
        assert entry["max_abs_diff"] == 0

    def test_rows_of_a_table(self, tmp_path):
        table = keras.ops.convert_to_tensor(normal(9, 4))
        entry = export_function(
            lambda ids: {"y": keras.ops.take(table, ids, axis=0)},
            tmp_path,
            {"ids": np.array([[1, 8, 0]], "int32")},
        )
        assert entry["ops"]["GATHER"] == 1
        assert not {"GATHER_ND", "REDUCE_ALL"} & entry["ops"].keys()

    @pytest.mark.parametrize("approximate", [True, False])
    def test_gelu_is_one_op(self, approximate, tmp_path):
        entry = export_function(
            lambda x: {"y": keras.activations.gelu(x, approximate=approximate)},
            tmp_path,
            {"x": normal(*SHAPE)},
        )
        assert entry["ops"] == {"GELU": 1}

    @pytest.mark.parametrize("rank", [2, 3, 4])
    def test_softmax_is_one_op(self, rank, tmp_path):
        entry = export_function(
            lambda x: {"y": keras.ops.softmax(x)}, tmp_path, {"x": normal(*SHAPE, 5)[0]}
        )
        assert entry["ops"] == {"SOFTMAX": 1}

    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("causal", [False, True])
    def test_attention_has_four_axes(self, causal, masked, tmp_path):
        def function(q, k, v, mask):
            mask = mask if masked else None
            attend = keras.ops.dot_product_attention
            return {"y": attend(q, k, v, mask=mask, is_causal=causal) + 0}

        shape, mask = (2, 7, 3, 4), np.tri(7, dtype=bool)[None, None]
        inputs = dict(zip("qkv", normal(3, *shape), strict=True), mask=mask)
        entry = export_function(function, tmp_path, inputs)
        assert entry["gpu_refused_ops"] == [] and entry["ops"]["SOFTMAX"] == 1
        expected = function(**inputs)["y"]
        found = lite.Runner(tmp_path / "model.tflite").run(**inputs)["y"]
        np.testing.assert_allclose(found, expected, atol=1e-5)

    @pytest.mark.parametrize("size", [(7, 9), (12, 5), (3, 4)])
    def test_a_bilinear_resize_is_one_op(self, size, tmp_path):
        def function(x):
            return {"y": keras.ops.image.resize(x, size)}

        entry = export_function(function, tmp_path, {"x": normal(2, 6, 5, 3)})
        assert entry["ops"] == {"RESIZE_BILINEAR": 1}
        assert entry["max_abs_diff"] < 1e-5

    def test_a_norm_has_no_reshapes(self, tmp_path):
        def function(x):
            mean = keras.ops.mean(x, axis=(1, -1), keepdims=True)
            spread = keras.ops.sqrt(keras.ops.var(x, axis=-1, keepdims=True) + 1e-3)
            sum_of_rows = keras.ops.sum(x, axis=0)  # whose axis does not come back
            return {"y": (x - mean) / spread, "sum": sum_of_rows}

        entry = export_function(function, tmp_path, {"x": normal(2, 6, 5)})
        assert "RESHAPE" not in entry["ops"] and entry["max_abs_diff"] < 1e-5

    def test_what_depends_on_no_input_is_stored(self, tmp_path):
        def function(x):
            steps = keras.ops.arange(6)
            near = -keras.ops.abs(steps[:, None] - steps[None])
            bias = keras.ops.where(near < -3, -1e9, keras.ops.cast(near, "float32"))
            return {"y": x + bias}

        entry = export_function(function, tmp_path, {"x": normal(2, 6, 6)})
        assert entry["ops"] == {"ADD": 1} and entry["max_abs_diff"] == 0

    def test_a_loop_in_a_loop(self, tmp_path):
        def function(x):
            def outer(i, total):
                def inner(j, value):
                    return j + 1, value + x * keras.ops.cast(i * j, "float32")

                _, total = keras.ops.while_loop(lambda j, _: j < 3, inner, (0, total))
                return i + 1, total

            zeros = keras.ops.zeros_like(x)
            return {"y": keras.ops.while_loop(lambda i, _: i < 4, outer, (0, zeros))[1]}

        entry = export_function(function, tmp_path, {"x": normal(3)})
        assert entry["ops"]["WHILE"] == 2
        assert entry["max_abs_diff"] < 1e-5


class TestErrors:
    def test_an_op_without_a_builtin(self, tmp_path):
        model = keras.Sequential([keras.Input((8,), name="x"), Spectrum(name="odd")])
        with pytest.raises(ValueError, match=r"layer 'odd' \(Spectrum\)"):
            export.export_model(model, tmp_path)
        assert not [*tmp_path.iterdir()]

    def test_a_dtype_that_jax_lacks(self, tmp_path):
        with pytest.raises(ValueError, match="input 'x' the dtype int32.*int64"):
            export_function(lambda x: {"y": x}, tmp_path, {"x": np.arange(3)})

    def test_the_converter_of_tensorflow(self, tmp_path):
        with pytest.raises(
            ValueError, match="KERAS_BACKEND=tensorflow.*KERAS_BACKEND=jax"
        ):
            export.export_model(dense_and_gru(), tmp_path, converter="tensorflow")

    def test_no_converter(self, tmp_path, monkeypatch):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(ImportError, match=r"litert_converter.*kerasseq\[litert\]"):
            front_ends.choose()

    def test_no_quantizer(self, tmp_path, monkeypatch, capsys):
        def find_spec(name, package=None, find=importlib.util.find_spec):
            return None if name == "ai_edge_quantizer" else find(name, package)

        monkeypatch.setattr(importlib.util, "find_spec", find_spec)
        assert front_ends.choose(precisions=["float32", "float16"])
        dense_and_gru().save(tmp_path / "m.keras")
        command = ["export", f"{tmp_path}/m.keras", "--out", f"{tmp_path}/out"]
        assert cli.main([*command, "--quantize", "dynamic"]) == 2
        message = capsys.readouterr().err
        assert "needs ai_edge_quantizer" in message and "kerasseq[litert]" in message
        assert not (tmp_path / "out").exists()


@keras.saving.register_keras_serializable("test")
class Spectrum(keras.layers.Layer):
    def call(self, x):
        return keras.ops.fft((x, keras.ops.zeros_like(x)))[0]


class TestArtifacts:
    """A function of any library of JAX."""

    @pytest.fixture
    def artifact(self, tmp_path):
        weights = jax.numpy.asarray(normal(8, 4))

        def function(x, *, scale):
            return {"y": jax.nn.relu(x @ weights) * scale["by"], "x": x}

        specs = [jax.ShapeDtypeStruct(s, "float32") for s in ((2, 8), ())]
        jitted = jax.jit(function)
        exported = jax.export.export(jitted, platforms=["cpu"])(
            specs[0], scale={"by": specs[1]}
        )
        path = tmp_path / "f.stablehlo"
        path.write_bytes(exported.serialize())
        return path, function

    def test_the_command(self, artifact, tmp_path, capsys):
        path, function = artifact
        rows = tmp_path / "rows.npz"
        np.savez(rows, args_0=normal(2, 8))
        out = tmp_path / "out"
        assert cli.main(["export", str(path), "--out", str(out)]) == 0
        assert "model.tflite" in capsys.readouterr().out
        found = lite.Runner(out / "model.tflite").run(args_0=normal(2, 8), scale_by=2.0)
        expected = function(normal(2, 8), scale={"by": 2.0})
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-5)

    @pytest.mark.parametrize(
        ("content", "message"),
        [(b"nothing", "is not what `jax.export"), (None, "no file at this path")],
    )
    def test_what_is_none(self, content, message, tmp_path, capsys):
        path = tmp_path / "f.stablehlo"
        if content:
            path.write_bytes(content)
        out = tmp_path / "out"
        assert cli.main(["export", str(path), "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()

    def test_a_size_that_is_not_fixed(self, tmp_path):
        (batch,) = jax.export.symbolic_shape("batch")
        spec = jax.ShapeDtypeStruct((batch, 3), "float32")
        exported = jax.export.export(jax.jit(lambda x: x), platforms=["cpu"])(spec)
        path = tmp_path / "f.stablehlo"
        path.write_bytes(exported.serialize())
        with pytest.raises(ValueError, match=r"static shapes.*'args_0'.*batch"):
            export.export_stablehlo(path, tmp_path / "out")
