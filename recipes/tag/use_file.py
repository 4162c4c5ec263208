"""The commands that use an exported tagger: print the tags of words.

The work is done by `kerasseq.lite.Tagger`, without TensorFlow and Keras.
"""

from kerasseq import lite
from recipes.shared import command_line, exported_file, file_input

HONORED = ("tag",)


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags, "use")
    define("string", "tag", None, "Only tag: a sentence, or - for lines of stdin.")


def use_file(flags):
    """Tags with an exported file: a word and its tag on each line.

    An empty line follows each sentence of standard input.

    Args:
        flags: Flags `tag`, `from` and `output_dir`.

    Raises:
        ValueError: for a missing sentence, one that the file does not take (with the
            line of standard input), or a flag that a file does not honor.
    """
    exported_file.check_flags(flags, HONORED)
    if flags.tag is None:
        raise ValueError("Give a sentence to tag: --tag 'The bat flew away.'")
    tagger = lite.Tagger(exported_file.find(flags, "tag"))
    if flags.tag != "-":
        _print(tagger(flags.tag))
        return
    for number, line in enumerate(file_input.lines_of_stdin(), 1):
        try:
            _print(tagger(line) if line.strip() else [])
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        print(flush=True)


def _print(rows):
    for word, tag in rows:
        print(f"{word}\t{tag}", flush=True)
