"""Operations of a compiled module that are equal but for what they are called.

The TPU compiler schedules one of them; the others call its code, and have no schedule of their own.
"""

import re
from collections.abc import Collection, Iterable, Mapping

_COMPUTATION = re.compile(r"(?ms)^(?:ENTRY )?%(\S+) \(.*?\{\n(.*?)^\}")
_LINE = re.compile(r"(?m)^ +(?:ROOT )?%(\S+) = (.*)$")
_TYPE = re.compile(r"(\([^=]*?\)|\S+) [\w-]+\(")
_CALL = re.compile(r"inlined_call[^/]*/\* %(\S+) = [\w-]+\(")


def called(program: str) -> list[str]:
    """The operations that a module's program calls, from its bundles, once for each call."""
    return _CALL.findall(program)


def twins(hlo: str, names: Iterable[str], scheduled: Collection[str]) -> dict[str, str]:
    """For those of `names` that have one, which of the `scheduled` operations they are equal to.

    They are if their lines in the module's text are, but for where they came from, with types in place of
    operands and the texts of computations in place of these.
    """
    texts = _Texts(hlo)
    known = {texts.of(name): name for name in scheduled if name in texts.lines}
    found = {name: known.get(texts.of(name)) for name in names if name in texts.lines}
    return {name: twin for name, twin in found.items() if twin is not None}


class _Texts:
    """What the operations of a module are without their names."""

    def __init__(self, hlo: str) -> None:
        plain = re.sub(r",? metadata=\{[^}]*\}", "", re.sub(r"/\*.*?\*/", "", hlo))
        self.lines: Mapping[str, str] = dict(_LINE.findall(plain))
        self._computations: Mapping[str, str] = dict(_COMPUTATION.findall(plain))

    def of(self, name: str) -> str:
        def plain(match: re.Match[str]) -> str:
            if match[1] in self._computations:
                return self._computation(match[1])
            line = self.lines.get(match[1])
            found = None if line is None else _TYPE.match(line)
            return match[0] if found is None else found[1]

        return re.sub(r"%([\w.\-]+)", plain, self.lines[name])

    def _computation(self, name: str, around: frozenset[str] = frozenset()) -> str:
        """Its text, with values numbered in the order in which they are met. One may be called as a
        computation `around` it is."""
        numbers: dict[str, str] = {}
        inside = around | {name}

        def plain(match: re.Match[str]) -> str:
            if match[1] in self._computations and match[1] not in inside:
                return self._computation(match[1], inside)
            return numbers.setdefault(match[1], f"%{len(numbers)}")

        return re.sub(r"%([\w.\-]+)", plain, self._computations[name])
