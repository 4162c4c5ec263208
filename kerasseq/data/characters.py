"""A text as the numbers of its characters."""

import json

import numpy as np

from kerasseq.utils import atomic


class Characters:
    """The characters of a text, and their numbers in order of the code points.

    Args:
        text: A string that has all of them.

    Raises:
        ValueError: for an empty text.

    Example:
        >>> characters = kerasseq.data.Characters("banana")
        >>> characters.encode("nab").tolist(), characters.decode([1, 0])
        ([2, 0, 1], 'ba')
    """

    unit = "character"
    file_name = "characters.json"

    def __init__(self, text):
        if not text:
            raise ValueError("The text is empty; give one with characters.")
        self.characters = sorted(set(text))
        self._ids = {character: i for i, character in enumerate(self.characters)}

    def __len__(self):
        return len(self.characters)

    def encode(self, text):
        """The numbers of a text's characters, an int32 array.

        Raises:
            ValueError: for a character that is not in the list.
        """
        unknown = sorted(set(text) - self._ids.keys())
        if unknown:
            raise ValueError(
                "The model does not know these characters; leave them out, or train on "
                f"a text that has them. Received: {''.join(unknown)!r}"
            )
        return np.array([self._ids[character] for character in text], "int32")

    def decode(self, ids):
        """The text of some numbers; those below 0 are left out."""
        return "".join(self.characters[i] for i in ids if i >= 0)

    def save(self, path):
        """Writes the list as JSON, for the phone."""
        atomic.write_json(path, self.characters)

    @classmethod
    def load(cls, path):
        """Reads what `save` wrote.

        Raises:
            ValueError: if the file is missing or damaged.
        """
        try:
            with open(path, encoding="utf-8") as file:
                return cls("".join(json.load(file)))
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"{path} is missing or damaged. Export again.") from error
