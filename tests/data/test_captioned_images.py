import json

import numpy as np
import pytest
from PIL import Image

from kerasseq import data
from kerasseq.data import _generated_scenes

load = data.load_captioned_images
NUM = 12


def paint(folder, num=NUM, first=0, size=(6, 5)):
    """Images whose pixels all say which they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + num):
        image = Image.fromarray(np.full(size, number, "uint8"))
        image.save(folder / f"{number}.png")
    return folder


def rows(num=NUM, separator="\t", first=0):
    """Two captions of each image, which name it."""
    numbers = range(first, first + num)
    lines = [
        f"{k}.png{separator}{text} {k}" for text in ("one", "two") for k in numbers
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path):
    paint(tmp_path)
    (tmp_path / "captions.tsv").write_text(rows())
    return tmp_path


def seen(images):
    """`{split: numbers of its images}`; each must have its own two captions."""
    found = {}
    for split in ("train", "validation", "test"):
        pixels, captions = getattr(images, split)
        found[split] = pixels[:, 0, 0, 0].tolist()
        assert captions == [(f"one {k}", f"two {k}") for k in found[split]]
    return found


class TestFolders:
    def test_captions_of_an_image_stay_together(self, folder):
        images = load(str(folder), test_fraction=0.25, validation_fraction=0.25)
        found = seen(images)
        assert {k: len(v) for k, v in found.items()} == {
            "train": 6,
            "validation": 3,
            "test": 3,
        }
        assert sorted(sum(found.values(), [])) == [*range(NUM)]
        assert images.train[0].shape[1:] == (6, 5, 1)

    def test_the_seed_decides(self, folder):
        one, same, other = (load(str(folder), seed=seed) for seed in (0, 0, 1))
        assert seen(one) == seen(same) != seen(other)

    def test_limit(self, folder):
        images = load(str(folder), limit=4)
        assert len(seen(images)["train"]) == 4
        half = load(str(folder), limit=0.5).train
        assert len(half[0]) == len(half[1]) == 5

    def test_split_folders(self, tmp_path):
        for number, name in enumerate(("train", "val", "test")):
            place = paint(tmp_path / name / "images", 3, first=3 * number)
            (place.parent / "captions.csv").write_text(rows(3, ",", 3 * number))
        found = seen(load(str(tmp_path)))
        assert found["validation"] == [3, 4, 5] and found["test"] == [6, 7, 8]

    def test_another_size_and_colors(self, folder):
        images = load(str(folder), image_size=(8, 9), num_channels=3)
        assert images.test[0].shape[1:] == (8, 9, 3)

    @pytest.mark.parametrize(
        "name, content",
        [
            ("captions.tsv", "image\tcaption\n" + rows()),
            ("captions.tsv", rows().replace("\n", "\r\n")),
            ("captions.tsv", rows().replace(".png\tone", ".png#0\tone")),
            ("captions.csv", rows(separator=",")),
            ("captions.csv", "image,caption\n" + rows(separator=",")),
            ("captions.txt", "image,caption\n" + rows(separator=",")),
            ("captions.txt", rows()),
        ],
    )
    def test_text_formats(self, tmp_path, name, content):
        paint(tmp_path)
        (tmp_path / name).write_bytes(content.encode())
        assert len(seen(load(str(tmp_path)))["train"]) == 10

    def test_quotes_in_tsv(self, tmp_path):
        paint(tmp_path, 3)
        text = 'image\tcaption\n0.png\t"a ""big"" dog"\n1.png\tb\n2.png\tb\n'
        (tmp_path / "captions.tsv").write_text(text)
        images = load(str(tmp_path))
        found = {x for split in images[1:] for texts in split[1] for x in texts}
        assert found == {'a "big" dog', "b"}

    def test_quotes_in_csv(self, tmp_path):
        paint(tmp_path, 3)
        lines = [f'{k}.png,"a ""big"", red\none"' for k in range(3)]
        (tmp_path / "captions.csv").write_text("\n".join(lines))
        assert load(str(tmp_path)).train[1] == [('a "big", red\none',)]

    def test_coco(self, tmp_path):
        paint(tmp_path / "images")
        numbers = range(NUM)
        content = {
            "images": [{"id": 7 + k, "file_name": f"{k}.png"} for k in numbers],
            "annotations": [
                {"image_id": 7 + k, "caption": f"{text} {k}"}
                for text in ("one", "two")
                for k in numbers
            ],
        }
        (tmp_path / "captions.json").write_text(json.dumps(content))
        assert len(seen(load(str(tmp_path)))["train"]) == 10

    def test_two_names_of_an_image_are_one_image(self, tmp_path):
        paint(tmp_path)
        content = rows().replace("\n0.png\ttwo", "\n./0.png\ttwo")
        assert "./" in content
        (tmp_path / "captions.tsv").write_text(content)
        assert sum(map(len, seen(load(str(tmp_path))).values())) == NUM

    def test_captions_elsewhere(self, tmp_path):
        paint(tmp_path / "pictures")
        (tmp_path / "Flickr8k.token.txt").write_text(rows())
        captions = str(tmp_path / "Flickr8k.token.txt")
        images = load(str(tmp_path / "pictures"), captions=captions)
        assert len(seen(images)["train"]) == 10


class TestScenes:
    def test_no_combination_is_in_two_splits(self):
        scenes = load("synthetic", num_examples=400)
        groups = [{texts[0] for texts in split[1]} for split in scenes[1:]]
        sizes = [len(split[1]) for split in scenes[1:]]
        assert sum(sizes) == 400 and min(sizes) >= 30
        for one in range(3):
            for other in range(one):
                assert not groups[one] & groups[other]

    def test_images_and_captions(self):
        images, captions = data.generated_scenes(3, size=40)
        assert images.shape == (3, 40, 40, 3) and images.dtype == "uint8"
        assert len({*captions}) == 3
        np.testing.assert_array_equal(data.generated_scenes(2, 40)[0], images[:2])

    def test_both_descriptions_say_the_same(self):
        first, second = ("large", "red", "circle"), ("small", "blue", "square")
        assert _generated_scenes.descriptions(first, "above", second) == (
            "a large red circle above a small blue square",
            "a small blue square below a large red circle",
        )

    @pytest.mark.parametrize("relation", ["above", "left of"])
    def test_things_lie_as_the_relation_says(self, relation):
        rng = np.random.default_rng(0)
        first, second = ("large", "red", "circle"), ("large", "blue", "square")
        for _ in range(50):
            (x, y), (other_x, other_y) = _generated_scenes._places(
                rng, 32, first, second, relation
            )
            down, right = other_y - y, other_x - x
            if relation == "above":
                assert down > 10 and abs(right) < down / 2
            else:
                assert right > 10 and abs(down) < right / 2

    def test_what_is_red_is_where_the_caption_says(self):
        images, captions = data.generated_scenes(200)
        num_seen = 0
        for image, (text, _) in zip(images, captions, strict=True):
            if text.count("red") != 1 or "purple" in text:
                continue
            image = image.astype(int)
            red = np.argwhere(image[..., 0] - image[..., 1:].max(-1) > 90)
            relation = "above" if "above" in text else "left"
            place = red.mean(axis=0)[0 if relation == "above" else 1]
            lit = np.argwhere(image.max(-1) > 120).mean(axis=0)
            middle = lit[0 if relation == "above" else 1]
            assert (place < middle) == (text.index("red") < text.index(relation)), text
            num_seen += 1
        assert num_seen > 30

    @pytest.mark.parametrize(
        "arguments, message",
        [((0,), "num=0"), ((1, 8), "size=8"), ((1, 32, -1), "seed=-1")],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            data.generated_scenes(*arguments)


BAD = {
    "missing image": ("captions.tsv", "9.gif\tone\n", "line 25: .*'9.gif' in"),
    "empty caption": ("captions.tsv", "1.png\t \n", "line 25: the caption is empty"),
    "no word": ("captions.tsv", "1.png\t\x01\n", "line 25: the caption is empty"),
    "empty name": ("captions.tsv", "\tone\n", "line 25: the name of an image is empty"),
    "no tab": ("captions.tsv", "1.png one\n", "line 25: expected image<TAB>caption"),
    "two tabs": ("captions.tsv", "1.png\tone\ttwo\n", "line 25: .*3 column"),
    "broken image": ("captions.tsv", "broken.png\tone\n", "line 25: .*broken.png"),
    "columns": ("captions.csv", "1.png,one,two\n", "line 25: expected image,caption"),
    "quote": ("captions.csv", '1.png,"one" two\n', "line 25: no CSV"),
    "long name": ("captions.csv", f"{'x' * 300}.png,one\n", "line 25: there is no"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_lines_are_named(tmp_path, case):
    name, line, message = BAD[case]
    paint(tmp_path)
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[:50])
    separator = "," if name.endswith("csv") else "\t"
    (tmp_path / name).write_text(rows(separator=separator) + line)
    with pytest.raises(ValueError, match=message):
        load(str(tmp_path))


@pytest.mark.parametrize(
    "content, message",
    [
        ("", "is empty"),
        ("{", "line 1: no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "form of COCO"),
        ('{"images": []}', "form of COCO.*KeyError"),
        ('{"images": [], "annotations": []}', "holds no captions"),
        (
            '{"images": [], "annotations": [{"image_id": 1, "caption": "a"}]}',
            "annotation 1: there is no such image.*image_id=1",
        ),
        (
            '{"images": [{"id": 1, "file_name": "0.png"}], '
            '"annotations": [{"image_id": 1, "caption": 7}]}',
            "annotation 1: .*must be strings",
        ),
        (
            '{"images": [{"id": [], "file_name": "0.png"}], "annotations": []}',
            "form of COCO.*TypeError",
        ),
        (
            '{"images": [{"id": 1, "file_name": "0.png"}], '
            r'"annotations": [{"image_id": 1, "caption": "a \udc00"}]}',
            "annotation 1: half of a surrogate pair",
        ),
    ],
)
def test_bad_json(tmp_path, content, message):
    paint(tmp_path)
    (tmp_path / "captions.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        load(str(tmp_path))


def test_bad_folders(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    with pytest.raises(ValueError, match="must hold one captions file.*none of them"):
        load(str(other))
    (folder / "captions.csv").write_text("a,b")
    with pytest.raises(ValueError, match="Received: captions.tsv, captions.csv"):
        load(str(folder))
    with pytest.raises(ValueError, match="which is no folder"):
        load(str(folder / "none"))
    with pytest.raises(ValueError, match="no captions file .*with `captions`"):
        load(str(other), captions=str(other / "none.tsv"))
    for name in ("train", "val", "valid"):
        (other / name).mkdir()
    with pytest.raises(ValueError, match="several folders for validation"):
        load(str(other))


def test_bad_options(folder):
    for options, message in [
        ({"limit": 99}, "`limit` must leave"),
        ({"test_fraction": 0}, "above 0"),
        ({"image_size": "x"}, "image_size"),
        ({"num_channels": 2}, "num_channels=2"),
    ]:
        with pytest.raises(ValueError, match=message):
            load(str(folder), **options)


def test_too_few_images(tmp_path):
    paint(tmp_path, 2)
    (tmp_path / "captions.tsv").write_text(rows(2))
    with pytest.raises(ValueError, match="more than 2 images.*Received: 2"):
        load(str(tmp_path))


def test_images_of_several_sizes(folder):
    Image.fromarray(np.zeros((9, 9), "uint8")).save(folder / "0.png")
    with pytest.raises(ValueError, match="image_size=.*Received: 6x5"):
        load(str(folder))
    assert load(str(folder), image_size=8).train[0].shape[1:] == (8, 8, 1)
