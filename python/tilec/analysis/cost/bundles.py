"""Reads libtpu's text of a compiled kernel: the bundles as they are scheduled, and their use of slots.

The text is that of `packed-bundles-post-ra`: it still has the empty bundles that the scheduler put between
others because of the matrix units, the transposing units and the transcendental one. `final_bundles` leaves
most of them to the hardware's interlocks, so counting it gives too little.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SLOTS: tuple[str, ...] = (
    "MATMUL",
    "MATPUSH",
    "XLU",
    "VALU",
    "VPOP",
    "EUP",
    "VLOAD",
    "VLOAD:FILL",
    "VSTORE",
    "VSTORE:SPILL",
    "SALU",
)
"""The slots of a bundle, as libtpu's table of their use names them."""

# `0x1e LB: > {`: address, label, a `>` for each loop around.
_BUNDLE = re.compile(r"(?m)^ *(0x[0-9a-f]+|0) +(?:[A-Z]{2})? *:(?: *>)* *\{")
_LABEL = re.compile(r"/\*(\w+)=\*/")  # names the operand that follows
_WAY = re.compile(
    r"/\* (\w+-to-\w+|k(?:DivAndRem|Rem|Div)) \*/"
)  # of a `dma.general`, and what a division gives
_CORE = re.compile(r"/\* (?:megacore )?core id(?: :: core id)? \*/")
_CHECK = re.compile(r"= shalt\.err \((!?)%(p\d+)_p\d+\)")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PLACE = re.compile(
    r"/\*[^*]*?\bloc\(\"<tilec [^\"]*\":(\d+):[^*]*\*/"
)  # of an emitted module; the first if several
_LINE = re.compile("\0(\\d+)")  # what becomes of that
_ACCESS = re.compile(r"%(?P<value>\w+) = (?P<kind>vld|vst)[^\[]*\[vmem:\[(?P<base>[%#]\w+)")
_INSTRUCTION = re.compile(r"(?:(?P<results>%[^=]*?) = )?(?P<opcode>[\w.:-]+) ?(?P<rest>.*)", re.DOTALL)
_PREDICATE = re.compile(
    r"\((!?)(?:%\w*?_?(?=p))?(p\d+|[01])(?:, %\w*?_?(s\d+))?\),?"
)  # and what else the result is
_INPUT = re.compile(r"inlined_call_operand\.(<no memory space>|\w+) \[shape: (\w+)\[([\d,]*)\], index: (\d+)")


class UnknownText(Exception):
    """A text is not of the form that libtpu 0.0.51 writes."""


@dataclass(frozen=True)
class Instruction:
    """An instruction of a bundle.

    `results` are registers, such as `s3`, `p0` or `v12`, without the numbers that tell values apart;
    `operands` are texts, with registers as `%s3`. `predicate` is the register that lets it run, and whether
    that must be false; None lets it run always, and `0` never. `named` has those operands that the text
    names, and they are among `operands` too. `value` is the name of the first result, unlike that of any
    other value of the kernel.
    """

    opcode: str
    results: tuple[str, ...]
    operands: tuple[str, ...]
    predicate: tuple[str, bool] | None = None
    named: Mapping[str, str] | None = None
    value: str = ""


@dataclass(frozen=True)
class Input:
    """An operand of a kernel: the space it is in, `hbm`, `smem`, `vmem` or `scalar`, its dtype as HLO has it
    (`s32`), its shape, its position among those of the call, and the register that holds its address, or the
    value of a scalar."""

    space: str
    dtype: str
    shape: tuple[int, ...]
    index: int
    register: str


@dataclass(frozen=True)
class Schedule:
    """A compiled kernel: its bundles in the order of addresses, which count from 0, and its operands.

    `lines` has for each instruction of each bundle the line of the emitted module that it comes from, None if
    the text does not say. `checks` has, by their names, the predicates by which it may halt, and what they
    are if it does not. `shared` says that all cores of a chip run it, each a part of it.
    """

    bundles: tuple[tuple[Instruction, ...], ...]
    lines: tuple[tuple[int | None, ...], ...]
    inputs: tuple[Input, ...]
    checks: Mapping[str, int]
    shared: bool


def parse_schedule(text: str, stores: Mapping[str, int] | None = None) -> Schedule:
    """Reads the text of `packed-bundles-post-ra`. `stores` are as `lines_of_stores` has them. Raises
    `UnknownText`."""
    starts = list(_BUNDLE.finditer(text))
    if not starts:
        raise UnknownText("the compiler's schedule has no bundles")
    ends = [match.start() for match in starts[1:]] + [len(text)]
    bundles: list[tuple[Instruction, ...]] = []
    texts: list[list[str]] = []
    inputs: list[Input] = []
    for match, end in zip(starts, ends, strict=True):
        if int(match[1], 16) != len(bundles):
            raise UnknownText(f"bundle {match[1]} comes after {len(bundles)} others")
        body = _without_comments(text[match.end() : end])
        parts = [part.strip() for part in body[: body.rindex("}")].split(" ;; ")]
        read = [(_instruction(_LINE.sub("", part).strip()), part) for part in parts if part]
        inputs += [each for each, _ in read if isinstance(each, Input)]
        found = [(each, part) for each, part in read if isinstance(each, Instruction)]
        bundles.append(tuple(each for each, _ in found))
        texts.append([part for _, part in found])
    checks = {match[2]: int(bool(match[1])) for match in _CHECK.finditer(text)}
    inputs.sort(key=lambda each: each.index)
    return Schedule(
        tuple(bundles), _lines(texts, stores or {}), tuple(inputs), checks, "/* megacore core id" in text
    )


def parse_utilization(text: str) -> tuple[Mapping[str, int], tuple[tuple[int, ...], ...]]:
    """Reads the text of `hlo-static-per-bundle-utilization`: how many instructions a bundle can have in each
    of `SLOTS`, and how many each bundle has, in the order of `SLOTS`. Raises `UnknownText`."""
    lines = text.splitlines()
    if len(lines) < 4 or tuple(lines[1].split(", ")) != SLOTS:
        raise UnknownText("the slots of the compiler's table of their use are others than expected")
    rows = [tuple(map(int, line.split())) for line in lines[2:] if line[:1].isdigit() or line[:1] == " "]
    return dict(zip(SLOTS, rows[0], strict=True)), tuple(rows[1:])


def _without_comments(text: str) -> str:
    """Comments become operands where they say what the text does not say otherwise, lines `_LINE`s."""
    text = _PLACE.sub(_line_and_rest, text)
    return _COMMENT.sub("", _CORE.sub(", way=core", _WAY.sub(r", way=\1", _LABEL.sub(r"\1=", text))))


def _line_and_rest(match: re.Match[str]) -> str:
    """What becomes of a comment with a line: what else it says may be what an operand is."""
    others = [part.strip() for part in match[0][2:-2].split(" :: ") if "loc(" not in part]
    return "\0" + match[1] + "".join(f" /* {part} */" for part in others)


def lines_of_stores(before: str, after: str) -> Mapping[str, int]:
    """The lines of stores of narrow elements, by the names of their values: libtpu puts neighbours together,
    and then no longer says where they come from. `before` and `after` are texts of the kernel around that,
    `original` and `post-x8-coalescing`."""
    located = _lines_of_accesses(_PLACE.sub("\0\\1", before).splitlines())
    stores = [_ACCESS.search(line) for line in after.splitlines() if "Coalesced store" in line]
    places = {match["value"]: located.get(("vst", match["base"]), set[int]()) for match in stores if match}
    return {value: min(lines) for value, lines in places.items() if len(lines) == 1}


def _lines(texts: Sequence[Sequence[str]], stores: Mapping[str, int]) -> tuple[tuple[int | None, ...], ...]:
    """The line of each instruction: its own, or that of all others that load from there, or store there."""
    located = _lines_of_accesses(text for bundle in texts for text in bundle)

    def line(text: str) -> int | None:
        own, access = _LINE.search(text), _ACCESS.search(text)
        if own is not None or access is None:
            return int(own[1]) if own else None
        lines = located.get((access["kind"], access["base"]), set[int]())
        return stores.get(access["value"], min(lines) if len(lines) == 1 else None)

    return tuple(tuple(map(line, bundle)) for bundle in texts)


def _lines_of_accesses(texts: Iterable[str]) -> Mapping[tuple[str, str], set[int]]:
    """By loads or stores, and the base of addresses: the lines that the text says."""
    found: dict[tuple[str, str], set[int]] = {}
    for text in texts:
        line, access = _LINE.search(text), _ACCESS.search(text)
        if line is not None and access is not None:
            found.setdefault((access["kind"], access["base"]), set()).add(int(line[1]))
    return found


@functools.lru_cache(maxsize=1 << 16)
def _instruction(text: str) -> Instruction | Input:
    match = _INSTRUCTION.fullmatch(text)
    if match is None:
        raise UnknownText(f"an instruction that is none: {text[:80]}")
    results = tuple(_register(each) for each in (match["results"] or "").split(","))
    given = _INPUT.match(text.partition(" = ")[2])
    if given is not None:
        space = "scalar" if given[1].startswith("<") else given[1]
        shape = tuple(int(extent) for extent in given[3].split(",") if extent)
        return Input(space, given[2], shape, int(given[4]), results[0])
    rest = match["rest"]
    predicate = _PREDICATE.search(rest)
    if predicate is not None:
        if predicate[3] and predicate[3] != results[0]:
            raise UnknownText(f"a predicated result is elsewhere without its predicate: {text[:80]}")
        rest = rest[: predicate.start()] + rest[predicate.end() :]
    pairs = [operand.rpartition("=") for operand in _operands(rest)]
    named = {name: operand for name, _, operand in pairs if name}
    return Instruction(
        match["opcode"],
        tuple(each for each in results if each),
        tuple(operand for _, _, operand in pairs),
        (predicate[2], bool(predicate[1])) if predicate else None,
        named or None,
        (match["results"] or "")[1:].partition("_")[0],
    )


def _operands(text: str) -> Sequence[str]:
    """Operands are between commas, an address before a space; notes on what memory is meant are left out."""
    text = re.sub(r"%(?:\w+_)?([a-z]+\d+)\b", r"%\1", text)
    text = re.sub(r"(?<=\]) +(?=[%\w\[])", ", ", re.sub(r"\[\w+:\$\w+\]", "", text))
    text = re.sub(r"target bundleno = (\d+) \(\w+\), region = \d+", r"\1", text)
    text = re.sub(r"(?<=\w) +\[#\w+\]", "", text)
    return [each.strip() for each in re.split(r",(?![^\[]*\])", text) if each.strip()]


def _register(name: str) -> str:
    match = re.fullmatch(r"%(?:\w+_)?([a-z]+\d+)", name.strip())
    return match[1] if match else ""
