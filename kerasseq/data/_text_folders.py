"""Reads labeled texts from folders: one per class, or tables named after the splits."""

from kerasseq.data import _text_files, _text_tables
from kerasseq.utils import stages

SPLITS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "test": "test",
}


def read_folder(root, text_column=None, label_column=None):
    """Reads a folder of class folders, of splits with class folders, or of tables.

    Args:
        root: A `pathlib.Path`: with a folder of `.txt` files per class; with such
            folders below `train/`, `validation/` (`val`, `valid`, `dev`) and `test/`;
            or with files named so, as `train.tsv`.
        text_column: As of `_text_tables.read_table`.
        label_column: Likewise.

    What is not read, as hidden files and those of other kinds, is said.

    Returns:
        `{split: list of Row}`; without a split `train` all is `"train"`.

    Raises:
        ValueError: naming folder or file.
    """
    tables = _of_splits(
        path
        for path in root.iterdir()
        if path.is_file() and path.suffix.lower() in _text_tables.SUFFIXES
    )
    if "train" in tables:
        _tell_unread(root, {*root.iterdir()} - {*tables.values()})
        given = (text_column, label_column)
        return {k: _text_tables.read_table(x, *given) for k, x in tables.items()}
    splits = _of_splits(path for path in _folders(root) if _folders(path))
    if "train" not in splits:
        splits = {"train": root}
    else:
        _tell_unread(root, {*root.iterdir()} - {*splits.values()})
    return {split: read_classes(path) for split, path in splits.items()}


def _of_splits(paths):
    found = {}
    for path in sorted(paths):
        split = SPLITS.get(path.stem.lower())
        if split in found:
            raise ValueError(
                f"There are two places for {split}; remove or rename one. Received: "
                f"{str(found[split])!r} and {str(path)!r}"
            )
        if split:
            found[split] = path
    return found


def read_classes(root):
    """Reads a folder that holds one folder of `.txt` files per class."""
    rows, folders = [], _folders(root)
    unread = {*root.iterdir()} - {*folders}
    for folder in folders:
        paths = sorted(filter(_is_text, folder.iterdir()))
        unread |= {*folder.iterdir()} - {*paths}
        if not paths:
            raise ValueError(
                f"The class folder {str(folder)!r} holds no .txt file; put texts "
                "there, or remove it"
            )
        rows += [_row(path, folder.name) for path in paths]
    if not rows:
        raise ValueError(
            f"{str(root)!r} holds no class folders; put one folder of .txt files per "
            "class there, or name a TSV, CSV or JSON lines file"
        )
    _tell_unread(root, unread)
    return rows


def _is_text(path):
    hidden = path.name.startswith(".")
    return not hidden and path.suffix.lower() == ".txt" and path.is_file()


def _tell_unread(root, paths):
    names = [repr(str(path.relative_to(root))) for path in sorted(paths)]
    if names:
        stages.LOGGER.warning(
            "%r: %d file(s) or folder(s) there are not read: %s%s",
            str(root),
            len(names),
            ", ".join(names[:5]),
            ", ..." if len(names) > 5 else "",
        )


def _row(path, label):
    text = _text_files.read_text(path, _text_tables.KINDS)
    return _text_tables.Row(text, label, repr(str(path)))


def _folders(root):
    return sorted(
        path
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )
