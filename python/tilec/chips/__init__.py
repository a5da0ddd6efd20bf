"""What the compiler and the cost model know of each TPU. Imports nothing heavy.

A device here is one TensorCore with its own memory, as Pallas sees it; figures are per core.

Sources of the numbers:

- `topology`, `device_kind`, `cores`: what libtpu 0.0.51 reports for `jax.experimental.topologies`.
- `vmem_mib`, `scoped_vmem_mib`: measured, the largest scratch that libtpu 0.0.51 still compiles with
  `vmem_limit_bytes` set, and without. `vmem_mib` is what a kernel can get, a little under the nominal size.
- `hbm_gb_per_s`, `bf16_tflop_per_s`, `int8_top_per_s`: `pltpu.get_tpu_info_for_chip` of jax 0.10.2; where it
  has none for int8, those of bf16, which it is multiplied as.
- `clock_ghz`: the bf16 peak over the FLOPs that the matrix units can do in a cycle.
- `mxu_side`, `mxus`, `mxu_cycles`: the matrix units; one 16-row product takes `mxu_cycles`.
- `stream_bytes_per_cycle`, `read_latency`, `write_latency`: fitted to libtpu's static profile of DMAs;
  v5e's read latency to published timings of a matrix product in 128 x 128 x 128 blocks.
- `branch_delay`, `hbm_address_bytes`, `dma_granule_bytes`: read off schedules that libtpu 0.0.51 prints.
"""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One kind of TPU.

    Memory sizes are in MiB, bandwidth in 10^9 bytes a second, latencies in clock cycles. After a
    branch, `branch_delay` more bundles run. Addresses in HBM count `hbm_address_bytes`,
    DMAs `dma_granule_bytes`.
    """

    name: str
    topology: str
    device_kind: str
    cores: int
    vmem_mib: float
    scoped_vmem_mib: float
    hbm_gb_per_s: float
    bf16_tflop_per_s: float
    int8_top_per_s: float
    clock_ghz: float
    mxus: int
    mxu_side: int
    mxu_cycles: int
    stream_bytes_per_cycle: int
    read_latency: int
    write_latency: int
    branch_delay: int
    hbm_address_bytes: int
    dma_granule_bytes: int


_ALL = (
    Chip(
        name="v4",
        topology="v4:2x2x1",
        device_kind="TPU v4",
        cores=1,
        vmem_mib=16.0,
        scoped_vmem_mib=16.0,
        hbm_gb_per_s=615.0,
        bf16_tflop_per_s=137.5,
        int8_top_per_s=137.5,
        clock_ghz=1.049,
        mxus=4,
        mxu_side=128,
        mxu_cycles=16,
        stream_bytes_per_cycle=523,
        read_latency=700,
        write_latency=450,
        branch_delay=1,
        hbm_address_bytes=512,
        dma_granule_bytes=512,
    ),
    Chip(
        name="v5e",
        topology="v5e:2x2",
        device_kind="TPU v5 lite",
        cores=1,
        vmem_mib=128.0,
        scoped_vmem_mib=16.0,
        hbm_gb_per_s=820.0,
        bf16_tflop_per_s=197.0,
        int8_top_per_s=394.0,
        clock_ghz=1.503,
        mxus=4,
        mxu_side=128,
        mxu_cycles=16,
        stream_bytes_per_cycle=491,
        read_latency=700,
        write_latency=450,
        branch_delay=4,
        hbm_address_bytes=512,
        dma_granule_bytes=32,
    ),
    Chip(
        name="v5p",
        topology="v5p:2x2x1",
        device_kind="TPU v5",
        cores=2,
        vmem_mib=63.9375,
        scoped_vmem_mib=16.0,
        hbm_gb_per_s=1230.0,
        bf16_tflop_per_s=229.5,
        int8_top_per_s=459.0,
        clock_ghz=1.751,
        mxus=4,
        mxu_side=128,
        mxu_cycles=16,
        stream_bytes_per_cycle=625,
        read_latency=695,
        write_latency=500,
        branch_delay=4,
        hbm_address_bytes=32,
        dma_granule_bytes=32,
    ),
    Chip(
        name="v6e",
        topology="v6e:2x2",
        device_kind="TPU v6 lite",
        cores=1,
        vmem_mib=127.9375,
        scoped_vmem_mib=32.0,
        hbm_gb_per_s=1640.0,
        bf16_tflop_per_s=920.0,
        int8_top_per_s=1840.0,
        clock_ghz=1.755,
        mxus=2,
        mxu_side=256,
        mxu_cycles=8,
        stream_bytes_per_cycle=776,
        read_latency=560,
        write_latency=469,
        branch_delay=4,
        hbm_address_bytes=32,
        dma_granule_bytes=32,
    ),
    Chip(
        name="tpu7x",
        topology="tpu7x:2x2x1",
        device_kind="TPU7x",
        cores=1,
        vmem_mib=63.9375,
        scoped_vmem_mib=32.0,
        hbm_gb_per_s=3700.0,
        bf16_tflop_per_s=1155.0,
        int8_top_per_s=1155.0,
        clock_ghz=2.203,
        mxus=2,
        mxu_side=256,
        mxu_cycles=8,
        stream_bytes_per_cycle=1512,
        read_latency=711,
        write_latency=613,
        branch_delay=6,
        hbm_address_bytes=32,
        dma_granule_bytes=32,
    ),
)

CHIPS = MappingProxyType({chip.name: chip for chip in _ALL})


def chip_named(name: str) -> Chip:
    """The chip of that name; raises `ValueError` naming those known."""
    if name not in CHIPS:
        raise ValueError(f"unknown chip '{name}': known are {', '.join(CHIPS)}")
    return CHIPS[name]
