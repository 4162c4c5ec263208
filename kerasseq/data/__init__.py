"""Data pipelines: load, tokenize, augment and batch, independent of any model.

Modules that need Keras or TensorFlow are imported on first use, so that
`BucketedPairs` also runs where TensorFlow is not installed.
"""

import importlib

from kerasseq.data._boundary_weights import boundary_weights, instances_from_masks
from kerasseq.data._generated_cells import generated_cells
from kerasseq.data._locale_phrases import locale_phrases
from kerasseq.data._pair_sources import ParallelText
from kerasseq.data.parallel_text import load_parallel_text

_MODULES = {
    "BucketedPairs": "bucketed_pairs",
    "choose_buckets": "bucketed_pairs",
    "Characters": "characters",
    "ContiguousBatches": "contiguous_batches",
    "RunningText": "running_text",
    "load_running_text": "running_text",
    "ImageBatches": "image_batches",
    "class_weights": "image_batches",
    "LosslessSubwords": "lossless_subwords",
    "LabeledImages": "labeled_images",
    "load_labeled_images": "labeled_images",
    "MaskedImages": "masked_images",
    "load_masked_images": "masked_images",
    "image_paths": "_image_files",
    "read_image": "_image_files",
    "PAD_ID": "subwords",
    "UNKNOWN_ID": "subwords",
    "START_ID": "subwords",
    "END_ID": "subwords",
    "train_subwords": "subwords",
    "load_subwords": "subwords",
    "save_vocabulary": "subwords",
    "encode_sentences": "subwords",
    "decode_ids": "subwords",
}

__all__ = [
    "ParallelText",
    "boundary_weights",
    "generated_cells",
    "instances_from_masks",
    "load_parallel_text",
    "locale_phrases",
    *_MODULES,
]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return sorted([*globals(), *_MODULES])
