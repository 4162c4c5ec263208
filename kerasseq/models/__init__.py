"""Functional-API builders, one architecture a file."""

from kerasseq.models.seq2seq import seq2seq as seq2seq
from kerasseq.models.seq2seq import seq2seq_encode as seq2seq_encode
from kerasseq.models.seq2seq import seq2seq_step as seq2seq_step
