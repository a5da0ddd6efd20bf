"""Loads, interprets, compiles and measures emitted Pallas modules. The only part of tilec that needs jax."""
