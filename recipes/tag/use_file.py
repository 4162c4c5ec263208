"""The commands that use an exported tagger: print the tags of words, make a page.

The work is done by `kerasseq.lite.Tagger`, without TensorFlow and Keras.
"""

from kerasseq import lite
from recipes.shared import command_line, exported_file, file_input, web_page

HONORED = ("tag", "web", "web_library")


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags, "use")
    define("string", "tag", None, "Only tag: a sentence, or - for lines of stdin.")


def use_file(flags):
    """Tags with an exported file; with `--web` it makes its page.

    A page offers the first sentences of `--tag` to try.

    Args:
        flags: Flags `tag`, `from`, `output_dir`, `web` and `web_library`.

    Raises:
        ValueError: for a missing sentence, one that the file does not take (with the
            line of standard input), or a flag that a file does not honor.
    """
    exported_file.check_flags(flags, HONORED)
    if flags.tag is None and not flags.web:
        raise ValueError("Give a sentence to tag: --tag 'The bat flew away.'")
    web_page.check(flags)
    model = exported_file.find(flags, "tag")
    tagger = lite.Tagger(model)
    shown = [] if flags.tag is None else print_tags(flags, tagger)
    if flags.web:
        web_page.add_to_earlier(flags, "tag", model, shown)


def print_tags(flags, tagger):
    """Tags a sentence, or the lines of standard input: a word and its tag on each line.

    An empty line follows each sentence of standard input.

    Returns:
        The first sentences.
    """
    if flags.tag != "-":
        _print(tagger(flags.tag))
        return [flags.tag]

    def use(text):
        _print(tagger(text))
        print(flush=True)

    return file_input.use_lines(use, web_page.NUM_SAMPLES)


def _print(rows):
    for word, tag in rows:
        print(f"{word}\t{tag}", flush=True)
