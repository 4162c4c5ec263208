"""The commands that use an exported language model: print the text that it writes.

The work is done by `kerasseq.lite.TextGenerator`, without TensorFlow and Keras.
"""

from kerasseq import lite
from recipes.shared import command_line, exported_file

HONORED = ("prompt", "count", "seed")
NUM_SHOWN = 3


def define_flags(flags):
    """Adds the flags of the use of an exported file."""
    define = command_line.definer(flags, "use")
    define("string", "prompt", None, "Only write: go on with this text.")
    define("integer", "count", 1, "Texts to write.", **command_line.COUNT)


def use_file(flags):
    """Goes on with the prompt and prints the texts, of seeds from `--seed` on.

    Args:
        flags: Flags `prompt`, `count`, `seed`, `from` and `output_dir`.

    Raises:
        ValueError: for a missing prompt, one that the file does not take, or a flag
            that a file does not honor.
    """
    exported_file.check_flags(flags, HONORED)
    if flags.prompt is None:
        raise ValueError("Give a text to go on with: --prompt 'Once upon a time'.")
    generator = lite.TextGenerator(exported_file.find(flags, "generate"))
    for index in range(flags.count):
        print(generator(flags.prompt, flags.seed + index), flush=True)
        if flags.count > 1:
            print("---", flush=True)


def print_rows(rows):
    """Prints the first texts that the exported file of a run wrote."""
    print("\nWritten with model.tflite alone:")
    for row in rows[:NUM_SHOWN]:
        print(f"--- from {row['prompt']!r}\n{row['text']}")
