"""The commands of `kerasseq`: one module each, which ties the subpackages together."""
