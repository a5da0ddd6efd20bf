"""tilec compiles tile programs to TPU kernels."""
