"""What the instructions of the scalar unit compute: integers of 32 bits, kept without their sign, and bits.

A value that the vector unit made is not known. Whatever is computed from it is not known either, and control
flow that hangs on it can only be guessed.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Final


class Unknown:
    """The value of a register or a word that the scalar unit cannot know."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN: Final = Unknown()


class Assumed(Unknown):
    """What the vector unit says, where it is assumed: a word that is only compared with 0."""

    def __init__(self, word: int) -> None:
        self.word = word


Value = int | Unknown
"""A word, 0 to 2^32 - 1, or a predicate, 0 or 1."""

_MASK = 0xFFFFFFFF
_SIGN = 0x80000000

WORDS: Mapping[str, Callable[[int, int], int]] = {
    "sadd.s32": lambda a, b: (a + b) & _MASK,
    "ssub.s32": lambda a, b: (a - b) & _MASK,
    "smul.u32": lambda a, b: (a * b) & _MASK,
    "smulhi.u32": lambda a, b: (a * b) >> 32,
    "sand.u32": lambda a, b: a & b,
    "sor.u32": lambda a, b: a | b,
    "sxor.u32": lambda a, b: a ^ b,
    "smin.u32": lambda a, b: min(a, b),
    "smax.u32": lambda a, b: max(a, b),
    "sshll.u32": lambda a, b: (a << b) & _MASK if b < 32 else 0,
    "sshrl.u32": lambda a, b: a >> b if b < 32 else 0,
    "sshra.s32": lambda a, b: (signed(a) >> min(b, 31)) & _MASK,
    "sc.u32": lambda a, b: (a + b) >> 32,
    "por": lambda a, b: a | b,
    "pand": lambda a, b: a & b,
    "pxor": lambda a, b: a ^ b,
    "pnand": lambda a, b: 1 - (a & b),
    "pnor": lambda a, b: 1 - (a | b),
}
"""Instructions with two operands, both known, by opcode; `sc` gives the carry of a sum. `scalar_lea` computes
addresses, too."""

COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def signed(word: int) -> int:
    """A word as a number with a sign."""
    return (word ^ _SIGN) - _SIGN


def operation(opcode: str) -> Callable[[int, int], int] | None:
    """What an instruction with two operands computes; None for one that is not known.

    Floats are equal if their words are: so it is of the one float that is known, 0.
    """
    if opcode.startswith("scalar_lea."):
        return WORDS["sadd.s32"]
    kind, _, rest = opcode.partition(".")
    relation, _, rest = rest.partition(".")
    if (
        kind == "scmp"
        and relation in COMPARISONS
        and (rest[:3] in ("s32", "u32") or (rest[:3] == "f32" and relation in ("eq", "ne")))
    ):
        compare = COMPARISONS[relation]
        flip = _SIGN if rest[:3] == "s32" else 0  # signed numbers in order are words in order
        return lambda a, b: int(compare(a ^ flip, b ^ flip))
    return WORDS.get(opcode)
