import keras
import numpy as np
import pytest

from kerasseq import export, lite, models

ALL = ("float16", "dynamic", "int8")


def images(shape, num, seed=0):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (num, 1, *shape), "uint8")
    return [{"image": image} for image in pixels]


def exported(model, folder, shape, quantized=False, **options):
    data = images(shape, 8)
    report = export.export_model(
        model,
        folder,
        signatures=export.image_signature(shape, **options),
        samples={"serve": data[:3]},
        quantize=["float16", "dynamic", export.Int8(data)] if quantized else [],
    )
    return {x["precision"]: x for x in report["artifacts"] if x["ops"]}


def small_vit():
    return models.vit(
        (16, 16, 3),
        5,
        patch_size=4,
        hidden_dim=32,
        num_layers=2,
        mlp_dim=64,
        include_rescaling=True,
        seed=0,
    )


def small_unet(size=16, **options):
    options = {"include_rescaling": True, "seed": 0} | options
    return models.unet((size, size, 1), width=8, depth=2, **options)


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """`(model, folder, artifacts)` of a classifier of other than the model's size."""
    model, folder = small_vit(), tmp_path_factory.mktemp("vit")
    return model, folder, exported(model, folder, (24, 20, 3), quantized=True)


@pytest.fixture(scope="module")
def unet(tmp_path_factory):
    model, folder = small_unet(num_classes=2), tmp_path_factory.mktemp("unet")
    return model, folder, exported(model, folder, (16, 16, 1), quantized=True)


class TestBasics:
    def test_signature(self, vit, unet):
        signatures = lite.Runner(vit[1] / "model.tflite").signatures
        assert signatures == {
            "serve": {
                "inputs": {"image": ((1, 24, 20, 3), "uint8")},
                "outputs": {"probabilities": ((1, 5), "float32")},
            }
        }
        signatures = lite.Runner(unet[1] / "model_int8.tflite").signatures
        assert signatures["serve"]["inputs"] == {"image": ((1, 16, 16, 1), "uint8")}
        outputs = signatures["serve"]["outputs"]
        assert outputs == {"probabilities": ((1, 16, 16, 2), "float32")}

    @pytest.mark.parametrize("name", ["vit", "unet"])
    def test_the_gpu_takes_all_of_it(self, name, request):
        files = request.getfixturevalue(name)[2]
        assert list(files) == ["float32", *ALL]
        assert [file["gpu_refused_ops"] for file in files.values()] == 4 * [[]]

    def test_ops(self, vit, unet):
        ops = vit[2]["float32"]["ops"]
        assert ops["CAST"] == ops["RESIZE_BILINEAR"] == 1 and ops["GELU"] == 2
        assert ops["RSQRT"] == ops["SQUARED_DIFFERENCE"] == 5  # layer normalizations
        assert ops["SOFTMAX"] == 3  # two of attention
        assert set(unet[2]["float32"]["ops"]) == {
            "ADD",  # rescaling; batch normalization is in the convolutions
            "CAST",
            "CONCATENATION",
            "CONV_2D",
            "MAX_POOL_2D",
            "MUL",
            "SOFTMAX",
            "TRANSPOSE_CONV",
        }

    def test_heads(self):
        model = small_unet(heads={"mask": 2, "depth": 1})
        signature = export.image_signature((16, 16, 1), softmax=("mask",))
        function, _ = signature(model)["serve"]
        sample = images((16, 16, 1), 1)[0]
        received = function(**sample)
        wanted = model(sample["image"].astype("float32"), training=False)
        probabilities = keras.ops.softmax(wanted["mask"])
        np.testing.assert_allclose(received["mask"], probabilities, atol=1e-5)
        np.testing.assert_allclose(received["depth"], wanted["depth"], atol=1e-5)

    def test_model_of_any_size(self):
        model = models.unet((None, None, 1), 2, width=4, depth=1)
        function, specs = export.image_signature((12, 8, 1))(model)["serve"]
        assert specs == {"image": ((1, 12, 8, 1), "uint8")}
        outputs = function(image=np.zeros((1, 12, 8, 1), "uint8"))
        assert outputs["probabilities"].shape == (1, 12, 8, 2)

    def test_sequential_model(self):
        model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
        function, _ = export.image_signature((4, 4, 1))(model)["serve"]
        outputs = function(image=np.full((1, 4, 4, 1), 7, "uint8"))
        np.testing.assert_allclose(outputs["probabilities"], 1 / 16)


class TestNumbers:
    @pytest.mark.parametrize("name", ["vit", "unet"])
    def test_equals_the_model(self, name, request):
        model, folder, files = request.getfixturevalue(name)
        bounds = {"float32": 1e-5, "float16": 5e-3, "dynamic": 0.05, "int8": 0.1}
        runner = lite.Runner(folder / "model.tflite")
        shape = runner.signatures["serve"]["inputs"]["image"][0][1:]
        for sample in images(shape, 2, seed=1):
            x = keras.ops.cast(sample["image"], "float32")
            x = keras.ops.image.resize(x, model.input.shape[1:3])
            wanted = keras.ops.softmax(model(x, training=False))
            received = runner.run(**sample)["probabilities"]
            np.testing.assert_allclose(received, wanted, atol=1e-5)
            np.testing.assert_allclose(received.sum(-1), 1, atol=1e-5)
        for precision, bound in bounds.items():
            assert files[precision]["max_abs_diff"] < bound

    def test_resize_has_half_pixel_centers(self):
        inputs = keras.Input((1, 2, 1))
        model = keras.Model(inputs, keras.layers.Flatten()(inputs))
        signature = export.image_signature((1, 4, 1), output="logits")
        function, _ = signature(model)["serve"]
        image = np.array([0, 10, 20, 60], "uint8").reshape(1, 1, 4, 1)
        assert np.array(function(image=image)["logits"]).tolist() == [[5.0, 40.0]]


class TestErrors:
    @pytest.mark.parametrize(
        "shape, options, message",
        [
            ((8, 8), {}, "must be .height, width, channels."),
            ((8, None, 1), {}, "must be .height, width, channels."),
            ((8, 8, 1), {"output": "classes"}, "`output` must be one of"),
            ((8, 8, 1), {"softmax": "mask"}, "tuple of names"),
            ((8, 8, 1), {"softmax": ("a",), "output": "logits"}, "tuple of names"),
        ],
    )
    def test_arguments(self, shape, options, message):
        with pytest.raises(ValueError, match=message):
            export.image_signature(shape, **options)

    def test_model_does_not_fit(self):
        with pytest.raises(ValueError, match="must have one input.*channels"):
            export.image_signature((16, 16, 3))(small_unet(num_classes=2))
        inputs = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
        two = keras.Model(inputs, keras.layers.Add()(inputs))
        with pytest.raises(ValueError, match="must have one input"):
            export.image_signature((8, 8, 1))(two)

    @pytest.mark.parametrize("softmax", [None, ("edges",)])
    def test_heads_are_named(self, softmax):
        model = small_unet(heads={"mask": 2, "depth": 1})
        function, _ = export.image_signature((16, 16, 1), softmax=softmax)(model)[
            "serve"
        ]
        with pytest.raises(ValueError, match="classification heads.*softmax=.'mask',."):
            function(image=np.zeros((1, 16, 16, 1), "uint8"))

    def test_no_heads(self):
        signature = export.image_signature((16, 16, 1), softmax=("mask",))
        function, _ = signature(small_unet(num_classes=2))["serve"]
        with pytest.raises(ValueError, match="must return one tensor"):
            function(image=np.zeros((1, 16, 16, 1), "uint8"))
