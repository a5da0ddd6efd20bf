"""Which accesses the TPU compiler takes: one oracle for DMAs, vector loads and stores, and pipeline blocks.

The rules follow from how memory is laid out, in tiles of rows and 128 lanes (`layout`), and were measured
with libtpu 0.0.51 and jax 0.10.2; `benchmarks/alignment.py` asks the compiler again. Where it is not known
what the compiler would say, an access is refused.
"""

from tilec.analysis.alignment.access import Access, Extent, Kind, Multiple, Refusal
from tilec.analysis.alignment.oracle import nearest_legal, refusal

__all__ = ["Access", "Extent", "Kind", "Multiple", "Refusal", "nearest_legal", "refusal"]
