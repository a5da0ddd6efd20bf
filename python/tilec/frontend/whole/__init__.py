"""Whole-tensor functions: from graphs of ATen operations to kernels in the language of tiles."""
