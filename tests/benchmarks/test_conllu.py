import numpy as np

from benchmarks import conllu, stock_tagger_baseline

FILE = """# text = The dogs bark
1\tThe\tthe\tDET\tDT\t_\t2\tdet\t_\t_
2-3\tdogs'\t_\t_\t_\t_\t_\t_\t_\t_
2\tDogs\tdog\tNOUN\tNNS\t_\t3\tnsubj\t_\t_
2.1\tno\tno\tX\tX\t_\t_\t_\t_\t_

1\tdogs\tdog\tNOUN\tNNS\t_\t0\troot\t_\t_
2\t42\t42\tNUM\tCD\t_\t1\tnummod\t_\t_
"""


def test_reads_words_and_tags(tmp_path):
    path = tmp_path / "part.conllu"
    path.write_text(FILE, encoding="utf-8")
    assert conllu.read(path) == [
        [("The", "DET"), ("Dogs", "NOUN")],
        [("dogs", "NOUN"), ("42", "NUM")],
    ]


def test_keys():
    assert conllu.word_key("Room42") == "room00"
    assert conllu.suffix_key("Running") == "Aing"
    assert conllu.suffix_key("at") == "aat"


def test_encodes_with_padding_and_unknown_words():
    sentences = [[("The", "DET"), ("dogs", "NOUN")], [("dogs", "NOUN")]]
    vocabulary = stock_tagger_baseline.vocabularies(sentences)
    assert vocabulary["words"] == {"dogs": 2}  # met twice; 0 pads, 1 is unknown
    inputs, tags, weights = conllu.encode(sentences, vocabulary, 3)
    np.testing.assert_array_equal(inputs["words"], [[1, 2, 0], [2, 0, 0]])
    np.testing.assert_array_equal(tags, [[0, 1, 0], [1, 0, 0]])
    np.testing.assert_array_equal(weights, [[1, 1, 0], [1, 0, 0]])
