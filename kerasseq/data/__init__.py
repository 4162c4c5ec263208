"""Data pipelines: load, tokenize, augment and batch, independent of any model.

Each module is imported on first use: `BucketedPairs` also runs where TensorFlow is not
installed, and only generated data needs what `pip install "kerasseq[recipes]"` brings.
"""

import importlib

_MODULES = {
    "ParallelText": "_pair_sources",
    "load_parallel_text": "parallel_text",
    "locale_phrases": "_locale_phrases",
    "boundary_weights": "_boundary_weights",
    "instances_from_masks": "_boundary_weights",
    "generated_cells": "_generated_cells",
    "BucketedPairs": "bucketed_pairs",
    "choose_buckets": "bucketed_pairs",
    "CaptionBatches": "caption_batches",
    "CaptionedImages": "captioned_images",
    "load_captioned_images": "captioned_images",
    "generated_scenes": "_generated_scenes",
    "Characters": "characters",
    "ContiguousBatches": "contiguous_batches",
    "RunningText": "running_text",
    "load_running_text": "running_text",
    "ImageBatches": "image_batches",
    "class_weights": "image_batches",
    "LosslessSubwords": "lossless_subwords",
    "LabeledTexts": "labeled_texts",
    "load_labeled_texts": "labeled_texts",
    "LabeledTextBatches": "labeled_text_batches",
    "choose_lengths": "_length_batches",
    "generated_reviews": "_generated_reviews",
    "Words": "words",
    "split_words": "words",
    "SentenceWords": "sentence_words",
    "join_words": "sentence_words",
    "LosslessWords": "sentence_vocabularies",
    "SentenceCharacters": "sentence_vocabularies",
    "SentenceSubwords": "sentence_vocabularies",
    "load_vocabulary": "sentence_vocabularies",
    "train_vocabulary": "sentence_vocabularies",
    "translator_files": "sentence_vocabularies",
    "vocabulary_file": "sentence_vocabularies",
    "LabeledImages": "labeled_images",
    "load_labeled_images": "labeled_images",
    "MaskedImages": "masked_images",
    "load_masked_images": "masked_images",
    "TimeSeries": "time_series",
    "load_time_series": "time_series",
    "split_borders": "time_series",
    "WindowBatches": "window_batches",
    "calendar_features": "_calendar_features",
    "calendar_periods": "_calendar_features",
    "num_calendar_features": "_calendar_features",
    "image_paths": "_image_files",
    "read_image": "_image_files",
    "WordFeatures": "word_features",
    "TaggedBatches": "tagged_batches",
    "TaggedSentences": "tagged_sentences",
    "load_tagged_sentences": "tagged_sentences",
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

__all__ = [*_MODULES]


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return sorted([*globals(), *_MODULES])
