"""Tables of few elements, read at positions in tiles of rank 2: codes of weights, columns of sparse rows."""

import pytest
import torch
from torch_cases import Case, verify

import tilec
import tilec.language as hl
from tilec.diagnostics import TileError

DRAW = torch.Generator().manual_seed(0)


@tilec.kernel
def dequantized(codes: torch.Tensor, table: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Two codes of four bits in a byte, each the number of a weight."""
    out = torch.empty([codes.size(0), 2 * codes.size(1)], dtype=torch.bfloat16)
    for rows in hl.tile(codes.size(0)):
        both = codes[rows, :]
        high, low = table[(both >> 4).to(torch.int32)], table[(both & 15).to(torch.int32)]
        values = torch.stack([high, low], -1).reshape(both.size(0), -1)
        out[rows, :] = (values * scales[rows][:, None]).to(torch.bfloat16)
    return out


def dequantizing(codes: torch.Tensor, table: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    both = torch.stack([table[(codes >> 4).long()], table[(codes & 15).long()]], -1)
    return (both.reshape(codes.size(0), -1) * scales[:, None]).bfloat16()


@tilec.kernel
def of_groups(codes: torch.Tensor, tables: torch.Tensor) -> torch.Tensor:
    """Each group has a table of its own, and some codes are left out."""
    out = torch.empty(codes.shape, dtype=tables.dtype)
    for group in hl.grid(codes.size(0)):
        for rows in hl.tile(codes.size(1)):
            numbers = codes[group, rows, :].to(torch.int32)
            found = hl.load(tables, [group, numbers], extra_mask=numbers > 2)
            out[group, rows, :] = found
    return out


def grouped(codes: torch.Tensor, tables: torch.Tensor) -> torch.Tensor:
    found = torch.stack([table[part.long()] for table, part in zip(tables, codes, strict=True)])
    return torch.where(codes > 2, found, torch.zeros((), dtype=tables.dtype))


@tilec.kernel
def sparse_product(x: torch.Tensor, columns: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    out = torch.empty([columns.size(0)])
    for rows in hl.tile(columns.size(0)):
        out[rows] = (x[columns[rows, :]] * values[rows, :]).sum(1)
    return out


def multiplied(x: torch.Tensor, columns: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return (x[columns.long()] * values).sum(1)


CODES = torch.randint(0, 256, (40, 72), generator=DRAW).to(torch.uint8)
NUMBERS = torch.randint(0, 9, (3, 20, 40), generator=DRAW).to(torch.int8)
COLUMNS = torch.randint(0, 200, (37, 7), generator=DRAW).int()
CASES: dict[str, Case] = {
    "dequantized": (dequantized, dequantizing, (CODES, torch.randn(16), torch.rand(40))),
    "of_groups bf16": (of_groups, grouped, (NUMBERS, torch.randn(3, 9).bfloat16())),
    "of_groups int8": (of_groups, grouped, (NUMBERS, torch.arange(-13, 14).view(3, 9).to(torch.int8))),
    "sparse_product": (sparse_product, multiplied, (torch.randn(200), COLUMNS, torch.randn(37, 7))),
}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_torch_and_is_proven(name: str) -> None:
    verify(CASES[name], seeds=(0,))


def test_a_table_of_many_elements_is_refused() -> None:
    with pytest.raises(TileError, match="a tile of rank 1 is accepted, or a table of up to 256 elements"):
        sparse_product(torch.randn(257), COLUMNS, torch.randn(37, 7))
