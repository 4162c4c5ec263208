"""Greedy search, beam search and sampling: fixed shapes, for XLA and for export."""

from kerasseq.decoding._step_signature import step_signature as step_signature
from kerasseq.decoding.beam import beam_search as beam_search
from kerasseq.decoding.beam import repeat_rows as repeat_rows
from kerasseq.decoding.captioner import Captioner as Captioner
from kerasseq.decoding.captioner import caption_signatures as caption_signatures
from kerasseq.decoding.generator import Generator as Generator
from kerasseq.decoding.generator import generation_signatures as generation_signatures
from kerasseq.decoding.greedy import greedy_search as greedy_search
from kerasseq.decoding.sampling import check_sampling as check_sampling
from kerasseq.decoding.sampling import sample as sample
from kerasseq.decoding.translator import Translator as Translator
from kerasseq.decoding.translator import (
    translation_signatures as translation_signatures,
)
