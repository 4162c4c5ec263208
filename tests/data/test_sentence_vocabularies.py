import json

import pytest

from kerasseq import data

PROSE = ["He is here.", "So (he) is!", "It's 3.5 % of 5/4/1995, isn't it?"] * 3
SOUNDS = ["K AE1 T", "D AO1 G", "d_Z {k a: @ ##x"]
UNITS = ("subword", "word", "character")


class TestBasics:
    @pytest.mark.parametrize("unit", UNITS)
    def test_half_of_a_surrogate_pair(self, unit):
        with pytest.raises(ValueError, match="text 2: half of a surrogate pair"):
            data.train_vocabulary(unit, ["good", "b \ud83d", "c"])

    @pytest.mark.parametrize("unit", UNITS)
    def test_all_are_used_alike(self, unit, tmp_path):
        found = data.train_vocabulary(unit, iter(PROSE))
        assert found.unit == unit and found.end == data.END_ID
        for text in PROSE:
            ids = found.encode(text)
            assert all(data.END_ID < number < len(found) for number in ids)
            assert found.decode([data.START_ID, *ids, data.END_ID, 5, 0]) == text
            assert found.normalize(text) == text
            assert len(found.pieces([*ids, data.END_ID])) == len(ids) + 1
        assert found.encode("") == [] and found.decode([data.END_ID]) == ""
        path = tmp_path / data.vocabulary_file(unit)
        path.write_bytes(found.to_bytes())
        assert path.name == found.file_name in found.files()
        loaded = data.load_vocabulary(unit, path)
        assert loaded.encode(PROSE[0]) == found.encode(PROSE[0])
        assert loaded.files() == found.files()

    @pytest.mark.parametrize("unit", UNITS)
    def test_lowercase(self, unit):
        texts = [text.lower() for text in PROSE]
        found = data.train_vocabulary(unit, texts, lowercase=True)
        assert found.decode(found.encode("HE is HERE.")) == "he is here."
        content = json.loads(found.files()["vocabulary.json"])
        assert content["lowercase"] is True

    def test_subwords_are_those_of_train_subwords(self, tmp_path):
        path = tmp_path / "subwords.model"
        tokenizer = data.train_subwords(PROSE, 1000, path, fit_size=True)
        data.save_vocabulary(tokenizer, tmp_path / "v.json", lowercase=False)
        found = data.train_vocabulary("subword", PROSE)
        assert [found.encode(x) for x in PROSE] == data.encode_sentences(
            tokenizer, PROSE
        )
        rows = [[2, 5, 0, 9, 3, 7], [3], [9, 1, 8, 3]]
        assert [found.decode(x) for x in rows] == data.decode_ids(tokenizer, rows)
        assert found.files() == {
            "vocabulary.json": (tmp_path / "v.json").read_bytes(),
            "subwords.model": path.read_bytes(),
        }

    def test_the_words_of_a_tokenized_text_are_kept(self):
        words = data.train_vocabulary("word", SOUNDS)
        assert words.split(SOUNDS[2]) == SOUNDS[2].split()
        assert words.summary() == f"{len(words)} words"
        assert words.normalize(SOUNDS[2]) == SOUNDS[2]
        assert {*words.words[4:]} == {x for text in SOUNDS for x in text.split()}
        assert data.train_vocabulary("word", ["a cat ."] * 9 + ["Mr. a"]).words[4:] == [
            *("a", ".", "cat", "Mr."),
        ]

    def test_punctuation_of_prose_is_a_word(self):
        words = data.train_vocabulary("word", PROSE)
        assert words.summary() == f"{len(words)} words, punctuation apart"
        assert words.options == {"lowercase": False, "punctuation": True}
        assert [words.words[i] for i in words.encode("So (he) is!")] == [
            *("So", "(", "##he", "##)", "is", "##!"),
        ]
        split = words.split("# a# ## 3.5%, l'été", punctuation=True)
        assert split == ["#", "a", "###", "#", "###", "3.5", "##%", "##,", "l'été"]
        assert words.join(split, punctuation=True) == "# a# ## 3.5%, l'été"

    def test_spaces_and_accents_have_one_form(self):
        for unit in ("word", "character"):
            found = data.train_vocabulary(unit, ["été là"])
            assert found.normalize(" e\u0301te\u0301 \t la\u0300\n") == "été là"
            assert data.UNKNOWN_ID not in found.encode("e\u0301te\u0301\xa0la\u0300")

    def test_what_is_unknown(self):
        characters = data.train_vocabulary("character", ["ab"])
        assert characters.decode(characters.encode("abc")) == "ab\ufffd"
        words = data.train_vocabulary("word", ["a b a", "<pad> <end>"], min_count=2)
        assert words.words[4:] == ["a"]
        assert words.encode("a b <pad> <end>") == [4, 1, 1, 1]
        assert words.decode([4, 1]) == "a <unknown>"

    def test_the_most_frequent_are_kept(self):
        found = data.train_vocabulary("character", ["aab", "abc"], vocabulary_size=6)
        assert found.words[4:] == ["a", "b"]

    def test_files_of_two_sides(self):
        source = data.train_vocabulary("character", ["cat"])
        target = data.train_vocabulary("word", SOUNDS)
        assert data.translator_files(source, source) == source.files()
        files = data.translator_files(source, target)
        assert [*files] == ["vocabulary.json", "target_vocabulary.json"]
        content = json.loads(files["vocabulary.json"])
        assert content.pop("target") == "target_vocabulary.json"
        assert content == json.loads(source.to_bytes())
        assert files["target_vocabulary.json"] == target.to_bytes()


class TestErrors:
    def test_unit(self):
        with pytest.raises(ValueError, match="'character'.*Received: unit='byte'"):
            data.train_vocabulary("byte", PROSE)

    def test_nothing_is_left(self):
        with pytest.raises(ValueError, match="No character is left.*min_count=9"):
            data.train_vocabulary("character", ["ab"], min_count=9)
        with pytest.raises(ValueError, match="No word is left"):
            data.train_vocabulary("word", ["", " "])

    def test_a_file_of_another_kind(self, tmp_path):
        path = tmp_path / "vocabulary.json"
        path.write_bytes(data.train_vocabulary("character", ["cat"]).to_bytes())
        with pytest.raises(
            ValueError, match="with another `unit`. Received: characters"
        ):
            data.load_vocabulary("word", path)
        with pytest.raises(ValueError, match="is no SentencePiece"):
            data.load_vocabulary("subword", path)
        with pytest.raises(ValueError, match="missing or damaged"):
            data.load_vocabulary("word", tmp_path / "none.json")

    @pytest.mark.parametrize(
        "change", [{"punctuation": 1}, {"lowercase": None}, {"words": "abcde"}]
    )
    def test_damaged(self, change, tmp_path):
        content = json.loads(data.train_vocabulary("word", SOUNDS).to_bytes())
        path = tmp_path / "vocabulary.json"
        path.write_text(json.dumps(content | change))
        with pytest.raises(ValueError, match="vocabulary.json is damaged"):
            data.load_vocabulary("word", path)
