"""Random Python functions of a few integers: loops, branches, jumps, closures, exceptions.

They end after few steps. `calm` ones raise nothing, jump nowhere, bind all variables first and change no
objects: a part of one may be run once too often, and its values thrown away.
"""

from random import Random

VARIABLES = ("a", "b", "c", "d", "e", "h")


class _Writer:
    def __init__(self, random: Random, calm: bool) -> None:
        self._random = random
        self._calm = calm
        self._lines: list[str] = []
        self._fresh = 0
        self._spare = 15 + random.randrange(15)  # statements
        self._loops: list[str] = []
        self._functions: list[str] = []

    def text(self) -> str:
        self._lines = [f"def f({', '.join(VARIABLES)}, log):"]
        if not self._calm and self._random.randrange(3) == 0:
            self._line(1, f"del {self._name()}")
        self._block(1, 4 + self._random.randrange(4))
        result = self._random.sample(VARIABLES, 2)
        self._line(1, f"return {result[0]}, {result[1]}")
        return "\n".join(self._lines) + "\n"

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _name(self) -> str:
        return self._random.choice(VARIABLES)

    def _new(self, prefix: str) -> str:
        self._fresh += 1
        return f"{prefix}{self._fresh}"

    def _handled(self) -> str:
        return self._random.choice(["error", "error", "error", self._name()])

    def _number(self, depth: int = 0) -> str:
        """An expression with an integer as its value."""
        random = self._random
        kinds = ["name", "name", "name", "constant"]
        if depth < 2:
            kinds += ["sum", "sum", "choice", "logic", "call", "walrus", "listed", "held"]
            kinds += [] if self._calm else ["divide", "generated"]
        left = self._number(depth + 1) if depth < 2 else self._name()
        match random.choice(kinds):
            case "constant":
                return str(random.randrange(4))
            case "sum":
                return f"({left} {random.choice('+-*')} {self._number(depth + 1)}) % 11"
            case "choice":
                return f"({left} if {self._test(depth + 1)} else {self._number(depth + 1)})"
            case "logic":
                return f"({left} {random.choice(['and', 'or'])} {self._number(depth + 1)})"
            case "call":
                return f"{random.choice([*self._functions, 'abs', 'int'])}({left})"
            case "walrus":
                return f"({self._name()} := {left})"
            case "listed":
                # An assignment expression may not stand where a comprehension takes its items from.
                each, size = self._new("e"), random.randrange(3)
                return (
                    f"sum([{each} + {self._name()} for {each} in range({size}) if {each} < {self._name()}])"
                )
            case "held":
                return f"(lambda y: y + {self._name()})({left})"
            case "divide":
                return f"({left} % {self._name()})"
            case "generated":
                return f"sum({self._name()} for _ in range(2))"
            case _:
                return self._name()

    def _test(self, depth: int = 0) -> str:
        left, right = self._number(depth + 1), self._number(depth + 1)
        test = f"{left} {self._random.choice(['<', '==', '>='])} {right}"
        match self._random.randrange(6):
            case 0:
                return f"not {test}"
            case 1:
                return f"({test} {self._random.choice(['and', 'or'])} {self._name()} > 2)"
            case 2:
                return f"{self._random.randrange(3)} < {left} <= {right}"
            case _:
                return test

    def _block(self, depth: int, size: int) -> None:
        start = len(self._lines)
        for _ in range(min(size, self._spare)):
            self._spare -= 1
            self._statement(depth)
        if len(self._lines) == start:
            self._line(depth, "pass")

    def _statement(self, depth: int) -> None:
        random = self._random
        kinds = ["assign"] * 3 + ["augment", "pair"]
        if depth < 5:
            kinds += ["for"] * 3 + ["if"] * 4 + ["while", "def", "def", "match"]
            if not self._calm:
                kinds += ["try", "try", "with", "each"]
        if not self._calm:
            kinds += ["delete", "log", "log", "assert", "raise", "return", *self._loops[-1:] * 3]
        kind = random.choice(kinds)
        match kind:
            case "augment":
                self._line(depth, f"{self._name()} += {self._number()}")
            case "pair":
                self._line(depth, f"{self._name()}, {self._name()} = {self._number()}, {self._number()}")
            case "delete" | "raise" | "return" | "jump":
                self._jump(depth, kind)
            case "log":
                self._line(depth, f"log.append({self._number()})")
            case "assert":
                self._line(depth, f"assert {self._test()}, {self._number()}")
            case "for" | "each" | "while":
                self._loop(depth, kind)
            case "if":
                self._line(depth, f"if {self._test()}:")
                self._block(depth + 1, random.randrange(3))
                if random.randrange(2):
                    self._line(depth, f"elif {self._test()}:")
                    self._block(depth + 1, random.randrange(3))
                if random.randrange(2):
                    self._line(depth, "else:")
                    self._block(depth + 1, random.randrange(3))
            case "def":
                self._function(depth)
            case "match":
                self._line(depth, f"match {self._number()}, {self._number()}:")
                self._line(depth + 1, f"case ({self._name()}, 1) if {self._test()}:")
                self._block(depth + 2, random.randrange(3))
                self._line(depth + 1, f"case (2, {self._name()}):")
                self._block(depth + 2, random.randrange(3))
            case "try":
                self._try(depth)
            case "with":
                self._line(depth, "with suppress(ValueError, ZeroDivisionError):")
                self._block(depth + 1, 1 + random.randrange(3))
            case _:
                self._line(depth, f"{self._name()} = {self._number()}")

    def _jump(self, depth: int, kind: str) -> None:
        """Mostly inside an `if`, or what follows would hardly ever run."""
        if self._random.randrange(9):
            self._line(depth, f"if {self._test()}:")
            depth += 1
        match kind:
            case "delete":
                self._line(depth, f"del {self._name()}")
            case "raise":
                self._line(depth, f"raise {self._random.choice(['ValueError', 'KeyError'])}({self._name()})")
            case "return":
                self._line(depth, f"return {self._number()}")
            case _:
                self._line(depth, self._random.choice(["break", "continue"]))

    def _loop(self, depth: int, kind: str) -> None:
        if kind == "while":
            count = self._new("n")
            self._line(depth, f"{count} = {self._random.randrange(4)}")
            self._line(depth, f"while {count} > 0 and {self._test()}:")
            self._line(depth + 1, f"{count} -= 1")
        elif kind == "each":
            self._line(depth, f"for {self._name()}, *rest in [(1, 2), (3, {self._name()}, 4)]:")
            self._line(depth + 1, "log.append(rest)")
        else:
            target = self._random.choice([self._name(), self._new("i")])
            self._line(depth, f"for {target} in range({self._number(2)} % 4):")
        self._loops.append("jump")
        self._block(depth + 1, 1 + self._random.randrange(4))
        self._loops.pop()
        if self._random.randrange(4) == 0 and not self._calm:
            self._line(depth, "else:")
            self._block(depth + 1, 1 + self._random.randrange(2))

    def _function(self, depth: int) -> None:
        """One that may read and write the variables around it, now and later."""
        random, name, loops = self._random, self._new("g"), self._loops
        self._line(depth, f"def {name}(x):")
        declared = VARIABLES if self._calm else random.sample(VARIABLES, random.randrange(1, 4))
        self._line(depth + 1, f"nonlocal {', '.join(declared)}")
        self._loops = []
        self._block(depth + 1, random.randrange(3))
        self._line(depth + 1, f"return x + {self._name()}")
        self._loops = loops
        if depth == 1:
            self._functions.append(name)

    def _try(self, depth: int) -> None:
        random = self._random
        self._line(depth, "try:")
        self._block(depth + 1, 1 + random.randrange(3))
        handled = random.randrange(3)
        if handled:
            self._line(depth, f"except (ValueError, ZeroDivisionError, NameError) as {self._handled()}:")
            self._block(depth + 1, random.randrange(3))
        if handled == 1:
            self._line(depth, "else:")
            self._block(depth + 1, 1 + random.randrange(2))
        if not handled or random.randrange(2):
            self._line(depth, "finally:")
            self._block(depth + 1, random.randrange(3))


def random_function(random: Random, *, calm: bool) -> str:
    """The text of a function `f` of six integers and a list to which it may append."""
    return _Writer(random, calm).text()
