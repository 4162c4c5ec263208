import json

import keras
import ml_dtypes
import numpy as np
import pytest
from keras import ops

from kerasseq import convert, decoding, models
from kerasseq.convert.checkpoints import importer, layout, safetensors_file
from tests.convert import checkpoint_files

KINDS = list(checkpoint_files.BLOCKS)
TOKENS = np.random.default_rng(0).integers(0, 13, (2, 6)).astype("int32")


def converted(kind, path, **options):
    options = checkpoint_files.OPTIONS.get(kind, {}) | options
    return convert.from_checkpoint(path, **options)


def written(tmp_path, kind, values=None):
    values = checkpoint_files.weights(kind) if values is None else values
    return checkpoint_files.write_safetensors(tmp_path / "a.safetensors", values)


def run(model, tokens=TOKENS, states=None):
    if states is None:
        body = model.get_layer("body").get_initial_state(len(tokens))
        states = dict(zip(models.state_names(model), body, strict=True))
    outputs = model({"tokens": ops.convert_to_tensor(tokens)} | states)
    return ops.convert_to_numpy(outputs.pop("logits")), outputs


def refused(shapes, message, **options):
    with pytest.raises(ValueError, match=message):
        layout.find_layout(shapes, importer._KINDS, options.get("num_groups", 1))


@pytest.mark.parametrize("kind", KINDS)
class TestNumbers:
    def test_logits_equal_numpy(self, kind, tmp_path):
        values = checkpoint_files.weights(kind)
        model = converted(kind, written(tmp_path, kind, values))
        expected = checkpoint_files.logits(kind, values, TOKENS)
        assert expected.std() > 0.1
        found, _ = run(model)
        np.testing.assert_allclose(found, expected, atol=1e-4)

    @pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16, "float64"])
    def test_other_types(self, kind, dtype, tmp_path):
        values = checkpoint_files.weights(kind, dtype)
        found, _ = run(converted(kind, written(tmp_path, kind, values)))
        expected = checkpoint_files.logits(kind, values, TOKENS)
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_states_go_on(self, kind, tmp_path):
        model = converted(kind, written(tmp_path, kind))
        whole, final = run(model)
        found, states = run(model, TOKENS[:, :3])
        logits = [found]
        for step in range(3, 6):
            found, states = run(model, TOKENS[:, step : step + 1], states)
            logits.append(found)
        np.testing.assert_allclose(np.concatenate(logits, 1), whole, atol=1e-5)
        for name, state in final.items():
            np.testing.assert_allclose(states[name], state, atol=1e-5)

    @pytest.mark.slow
    def test_generation_goes_on(self, kind, tmp_path):
        """The likeliest token after token, as NumPy finds it anew for each."""
        values = checkpoint_files.weights(kind)
        model = converted(kind, written(tmp_path, kind, values))
        generator = decoding.Generator(model, max_length=7, top_k=1)
        inputs = {"prompt": TOKENS[:, :3], "seed": np.arange(2, dtype="int32")}
        found = generator.predict(inputs, verbose=0)["tokens"]
        tokens = TOKENS[:, :3]
        for _ in range(4):
            last = checkpoint_files.logits(kind, values, tokens)[:, -1]
            tokens = np.append(tokens, last.argmax(-1)[:, None], 1)
        np.testing.assert_array_equal(found, tokens)

    def test_archive_of_numpy_gives_the_same(self, kind, tmp_path):
        values = checkpoint_files.weights(kind)
        name = next(x for x in values if x.endswith("out_proj.weight") or "key" in x)
        values[name] = np.asfortranarray(values[name])
        np.savez(tmp_path / "a.npz", **values)
        model = converted(kind, tmp_path / "a.npz")
        values[name] = np.ascontiguousarray(values[name])
        other = converted(kind, written(tmp_path, kind, values))
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_all_weights_are_used_and_dropout_is_0(self, kind, tmp_path):
        values = checkpoint_files.weights(kind)
        model = converted(kind, written(tmp_path, kind, values))
        bias = 13 if checkpoint_files.is_rwkv(kind) else 0
        assert model.count_params() == sum(x.size for x in values.values()) + bias
        rates = [x.rate for x in model._flatten_layers() if hasattr(x, "rate")]
        assert rates and set(rates) == {0.0}


def test_saved_and_loaded(tmp_path):
    model = converted("rwkv7", written(tmp_path, "rwkv7"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(run(loaded)[0], run(model)[0])


def test_bfloat16_in_an_archive_of_numpy(tmp_path):
    values = checkpoint_files.weights("mamba", ml_dtypes.bfloat16)
    np.savez(tmp_path / "a.npz", **values)
    found, _ = run(converted("mamba", tmp_path / "a.npz"))
    expected = checkpoint_files.logits("mamba", values, TOKENS)
    np.testing.assert_allclose(found, expected, atol=1e-4)


class TestSizes:
    def test_of_blocks(self):
        def options(kind):
            groups = checkpoint_files.OPTIONS.get(kind, {}).get("num_groups", 1)
            shapes = checkpoint_files.shapes(kind)
            found = layout.find_layout(shapes, importer._KINDS, groups)
            assert found.kind.cell == kind and found.sizes["num_layers"] == 2
            return found.block_options

        assert options("mamba") == {
            "state_dim": 4,
            "kernel_size": 3,
            "expansion": 3,
            "delta_rank": 5,
        }
        assert options("mamba2") == {
            "head_dim": 4,
            "state_dim": 3,
            "num_groups": 2,
            "kernel_size": 4,
            "expansion": 2,
        }
        assert options("rwkv4") == {"mlp_dim": 12}
        assert options("rwkv7") == {
            "head_size": 4,
            "mlp_dim": 12,
            "decay_rank": 3,
            "rate_rank": 2,
            "value_rank": 5,
            "gate_rank": 4,
        }

    def test_of_the_mamba_with_130_million_weights(self):
        """Its header alone; the model has shapes, but no numbers."""
        header, size = {}, 0
        for name, shape in mamba_130m().items():
            start, size = size, size + 4 * int(np.prod(shape))
            entry = {"dtype": "F32", "shape": shape, "data_offsets": [start, size]}
            header[name] = entry
        entries = safetensors_file.parsed_header(json.dumps(header).encode(), size)
        shapes = {name: entry.shape for name, entry in entries.items()}
        found = layout.find_layout(shapes, importer._KINDS, 1)
        assert found.block_options == {
            "state_dim": 16,
            "kernel_size": 4,
            "expansion": 2,
            "delta_rank": 48,
        }
        with keras.StatelessScope():
            model = importer._model(found, found.sizes["vocabulary"], True)
        sizes = {x.path: int(np.prod(x.shape)) for x in model.weights}
        assert sum(sizes.values()) == size // 4 == 129_135_360
        paths = {path: int(np.prod(shapes[name])) for name, path in found.paths.items()}
        assert sizes == paths

    def test_one_block_has_no_rank_of_values(self, tmp_path):
        values = checkpoint_files.weights("rwkv7")
        values = {k: x for k, x in values.items() if not k.startswith("blocks.1.")}
        model = converted("rwkv7", written(tmp_path, "rwkv7", values))
        assert model.get_layer("body").num_layers == 1


def mamba_130m():
    shapes = {
        "backbone.embedding.weight": (50280, 768),
        "backbone.norm_f.weight": (768,),
    }
    block = {
        "norm.weight": (768,),
        "mixer.in_proj.weight": (3072, 768),
        "mixer.conv1d.weight": (1536, 1, 4),
        "mixer.conv1d.bias": (1536,),
        "mixer.x_proj.weight": (80, 1536),
        "mixer.dt_proj.weight": (1536, 48),
        "mixer.dt_proj.bias": (1536,),
        "mixer.A_log": (1536, 16),
        "mixer.D": (1536,),
        "mixer.out_proj.weight": (768, 1536),
    }
    for index in range(24):
        stem = f"backbone.layers.{index}"
        shapes |= {f"{stem}.{name}": shape for name, shape in block.items()}
    return shapes


class TestTables:
    def test_equal_head_is_the_table(self, tmp_path):
        values = checkpoint_files.weights("mamba")
        alone, _ = run(converted("mamba", written(tmp_path, "mamba", values)))
        values["lm_head.weight"] = values["backbone.embedding.weight"]
        model = converted("mamba", written(tmp_path, "mamba", values))
        assert "output" not in [layer.name for layer in model.layers]
        np.testing.assert_array_equal(run(model)[0], alone)

    def test_another_head_is_kept(self, tmp_path):
        values = checkpoint_files.weights("mamba")
        values["lm_head.weight"] = 2 - values["backbone.embedding.weight"]
        model = converted("mamba", written(tmp_path, "mamba", values))
        expected = checkpoint_files.logits("mamba", values, TOKENS)
        np.testing.assert_allclose(run(model)[0], expected, atol=1e-4)

    def test_name_of_transformers(self, tmp_path):
        values = checkpoint_files.weights("mamba")
        expected, _ = run(converted("mamba", written(tmp_path, "mamba", values)))
        table = values.pop("backbone.embedding.weight")
        values["backbone.embeddings.weight"] = table
        found, _ = run(converted("mamba", written(tmp_path, "mamba", values)))
        np.testing.assert_array_equal(found, expected)
        shapes = checkpoint_files.shapes("mamba")
        both = shapes | {"backbone.embeddings.weight": (13, 8)}
        refused(both, "1 unknown: backbone.embeddings.weight$")

    def test_unused_values_of_the_first_block(self, tmp_path):
        values = checkpoint_files.weights("rwkv7")
        expected, _ = run(converted("rwkv7", written(tmp_path, "rwkv7", values)))
        for name in ("v0", "v1", "v2"):
            values[f"blocks.0.att.{name}"] = values[f"blocks.1.att.{name}"]
        found, _ = run(converted("rwkv7", written(tmp_path, "rwkv7", values)))
        np.testing.assert_array_equal(found, expected)

    @pytest.mark.parametrize("kind", ["mamba", "rwkv4"])
    def test_padding_of_the_vocabulary_is_cut(self, kind, tmp_path):
        path = written(tmp_path, kind)
        tokens = np.minimum(TOKENS, 10)
        whole, _ = run(converted(kind, path), tokens)
        found, _ = run(converted(kind, path, vocabulary_size=11), tokens)
        np.testing.assert_allclose(found, whole[..., :11], atol=1e-6)
        for size in (0, 14):
            with pytest.raises(ValueError, match=f"1 to 13.*vocabulary_size={size}"):
                converted(kind, path, vocabulary_size=size)


@pytest.mark.parametrize("kind", KINDS)
class TestErrors:
    def test_names(self, kind):
        shapes = checkpoint_files.shapes(kind)
        groups = checkpoint_files.OPTIONS.get(kind, {})
        last = list(shapes)[-1]
        others = {name: x for name, x in shapes.items() if name != last}
        message = f"2 blocks has {len(shapes)} weights.*Received: 1 missing: {last}$"
        refused(others, message, **groups)
        refused(others | {"odd": (1,)}, f"1 missing: {last}; 1 unknown: odd$", **groups)
        stem = "blocks" if checkpoint_files.is_rwkv(kind) else "backbone.layers"
        message = rf"Received: 1 unknown: {stem}\.7\.odd$"
        refused(shapes | {f"{stem}.7.odd": (1,)}, message, **groups)
        many = {f"odd{index:02d}": (1,) for index in range(20)}
        message = "20 unknown: odd00, odd01, odd02, odd03, odd04 and 15 more$"
        refused(shapes | many, message, **groups)

    def test_shapes(self, kind):
        shapes = checkpoint_files.shapes(kind)
        groups = checkpoint_files.OPTIONS.get(kind, {})
        for name, shape in shapes.items():
            for wrong in ((*shape[:-1], shape[-1] + 1), (*shape, 2), (), (0, *shape)):
                refused(shapes | {name: wrong}, "Received: ", **groups)
        name = "blocks.1.ln1.weight" if kind[0] == "r" else "backbone.layers.1.mixer.D"
        message = rf"Received: 1 that differ: {name} \(3,\), expected \("
        refused(shapes | {name: (3,)}, message, **groups)

    def test_a_block_is_missing(self, kind):
        shapes = checkpoint_files.shapes(kind)
        moved = {
            name.replace("blocks.1", "blocks.900").replace("s.1.", "s.99999999."): x
            for name, x in shapes.items()
        }
        refused(moved, "missing.*unknown", **checkpoint_files.OPTIONS.get(kind, {}))


class TestOtherErrors:
    def test_another_network(self, tmp_path):
        values = {"transformer.wte.weight": np.zeros((3, 4), "float32")}
        path = checkpoint_files.write_safetensors(tmp_path / "b.safetensors", values)
        message = "Mamba, Mamba-2, RWKV-4 or RWKV-7.*1 weights, transformer.*path="
        with pytest.raises(ValueError, match=message):
            convert.from_checkpoint(path)
        refused({}, "Received: 0 weights")

    def test_groups(self):
        shapes = checkpoint_files.shapes("mamba2")
        refused(shapes, "num_groups=3", num_groups=3)
        refused(shapes, "over 28, of them channels=16, num_groups=4", num_groups=4)
        refused(shapes, "num_groups=0", num_groups=0)
        for kind in ("mamba", "rwkv4", "rwkv7"):
            refused(checkpoint_files.shapes(kind), "Only Mamba-2", num_groups=2)

    def test_heads_that_are_not_all_units(self):
        shapes = checkpoint_files.shapes("rwkv7")
        for index in range(2):
            shapes[f"blocks.{index}.att.r_k"] = (3, 4)
        refused(shapes, r"multiply to the 8 units. Received: \(3, 4\)")

    def test_channels_that_are_no_multiple(self):
        shapes = checkpoint_files.shapes("mamba")
        shapes = {
            name: tuple({24: 20, 48: 40}.get(size, size) for size in shape)
            for name, shape in shapes.items()
        }
        refused(shapes, "multiple of the units. Received: channels=20, units=8")

    def test_skip_for_each_channel_of_mamba2(self):
        shapes = checkpoint_files.shapes("mamba2")
        for index in range(2):
            shapes[f"backbone.layers.{index}.mixer.D"] = (16,)
        refused(
            shapes, r"2 that differ: .*mixer.D \(16,\), expected \(4,\)", num_groups=2
        )
