"""Published weights of Mamba, Mamba-2, RWKV-4 and RWKV-7 become language models."""
