"""How long a compiled kernel takes, from libtpu's text of its schedule. No TPU, no jax."""
