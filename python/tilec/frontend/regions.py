"""The loops and branches of a function that the tracer may turn into regions, and what each has to know."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tilec.frontend.liveness import Bound, Liveness
from tilec.frontend.scopes import (
    FUNCTIONS,
    Closure,
    Function,
    closures,
    own_nodes,
    read,
    scope_of,
    target_names,
    written,
)

Exit: TypeAlias = tuple[str, int, int]
_Place: TypeAlias = tuple[int, int]

_MOST_BLOCKS = 20
"""Of Python's compiler (CO_MAXBLOCKS), which refuses "too many statically nested blocks" in a function."""


@dataclass(frozen=True)
class RegionFacts:
    """What is known of a loop or a branch before the program runs.

    `names`: the variables that the region changes and that matter outside of one run of it. `restored`:
    variables that one arm of a branch changes and the other may read, but that nothing reads afterwards.
    `unbound`: those of both that may be unbound before it. `held`: names through which it reaches objects
    made before it. `exits`: what leaves a loop early, as (word, line, column), both counted from 1. `plain`:
    what a branch that has to stay a plain `if` is, in words for the user; empty for others.
    """

    names: tuple[str, ...]
    restored: tuple[str, ...]
    unbound: frozenset[str]
    held: tuple[str, ...]
    exits: tuple[Exit, ...] = ()
    plain: str = ""


class FunctionFacts:
    """The facts of all `for` and `if` statements of one function, but not of the functions in it.

    `outer` are the variables around it that it can see, `defined` the global names that stand for modules,
    functions and classes by the look of its module.
    """

    def __init__(self, node: Function, outer: frozenset[str], defined: frozenset[str]) -> None:
        self.scope = scope_of(node, outer)
        self.regions: dict[ast.stmt, RegionFacts] = {}
        if isinstance(node, ast.Lambda):
            return
        self._live = Liveness(self.scope, node.body)
        self._bound = Bound(self.scope, node.body)
        self._closures = list(closures(node.body))
        self._globals = _touched(node.body) - defined
        self._visit(node.body, None, 0)

    def _visit(self, nodes: Iterable[ast.AST], loop_end: _Place | None, depth: int) -> None:
        """Visit statements inside `depth` blocks; `loop_end` is where the outermost loop around them ends."""
        for node in nodes:
            if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.expr)):
                continue
            inner_end, inner_depth = loop_end, depth + _blocks(node)
            if isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While):
                # What runs after the region, or again with it, sees the functions made before this place.
                end = loop_end or (node.end_lineno or 0, node.end_col_offset or 0)
                inner_end = loop_end if isinstance(node, ast.If) else end
                if isinstance(node, ast.For):
                    self.regions[node] = self._loop(node, end)
                if isinstance(node, ast.If):
                    self.regions[node] = branch = self._branch(node, end, depth)
                    inner_depth += not branch.plain
            self._visit(ast.iter_child_nodes(node), inner_end, inner_depth)

    def _loop(self, node: ast.For, end: _Place) -> RegionFacts:
        live = self._live.head[node] | self._captured(end)
        names = self._changed([node.target, *node.body], live, end)
        exits = [(word, part) for stmt in node.body for word, part in leaves(stmt) if word != "raise"]
        exits += [("else", part) for part in node.orelse[:1]]
        places = [(word, part.lineno, part.col_offset + 1) for word, part in exits]
        bound = set(target_names(node.target))
        reached = self._reached(node.body, self._live.into[node.body[0]], end)
        held = tuple(name for name in reached if name not in bound)
        return RegionFacts(tuple(names), (), self._unbound(node, names), held, exits=tuple(places))

    def _branch(self, node: ast.If, end: _Place, depth: int) -> RegionFacts:
        arms = [*node.body, *node.orelse]
        into = frozenset[str]().union(*(self._live.into[arm[0]] for arm in (node.body, node.orelse) if arm))
        names = self._changed(arms, self._live.after[node] | self._captured(end), end)
        restored = [name for name in self._changed(arms, into, end) if name not in names]
        unbound, held = self._unbound(node, [*names, *restored]), tuple(self._reached(arms, into, end))
        exits = [word for stmt in arms for word, _ in leaves(stmt)]
        plain = f"`{exits[0]}` in a branch" if exits else ""
        if depth + 1 + _height(node) > _MOST_BLOCKS:
            plain = plain or "an `if` nested this deeply"
        return RegionFacts(tuple(names), tuple(restored), unbound, held, plain=plain)

    def _unbound(self, node: ast.stmt, names: Iterable[str]) -> frozenset[str]:
        return frozenset(names) - self._bound.before[node]

    def _changed(self, nodes: Sequence[ast.AST], live: frozenset[str], end: _Place) -> list[str]:
        """The live variables that `nodes` write, or may write by calling a function made before `end`."""
        names = written(nodes)
        for closure in self._called(nodes, end):
            names |= dict.fromkeys(sorted(closure.writes))
        return [name for name in names if name in live and name in self.scope.variables]

    def _reached(self, nodes: Sequence[ast.AST], live: frozenset[str], end: _Place) -> list[str]:
        """The names through which `nodes` reach objects; of the function's own variables only the live."""
        names = read(nodes)
        live |= self._captured(end)
        for closure in self._called(nodes, end):
            names |= dict.fromkeys(sorted(closure.reads))
        own = self.scope.variables - self.scope.shared
        kept = live | self.scope.outer | self.scope.shared | self._globals
        return [name for name in names if name in (live if name in own else kept)]

    def _called(self, nodes: Sequence[ast.AST], end: _Place) -> Iterator[Closure]:
        """The functions made before `end` that `nodes` may call."""
        calls = any(isinstance(part, ast.Call) for part in own_nodes(nodes))
        return self._earlier(end) if calls else iter(())

    def _captured(self, end: _Place) -> frozenset[str]:
        """The variables that a function made before `end` may use at any time."""
        return frozenset[str]().union(*(closure.reads | closure.writes for closure in self._earlier(end)))

    def _earlier(self, end: _Place) -> Iterator[Closure]:
        return (closure for closure in self._closures if closure.place < end)


def leaves(node: ast.AST, inner: bool = False) -> Iterator[tuple[str, ast.stmt | ast.expr]]:
    """What leaves a block that holds `node` early, and the word for it.

    A `raise` counts only if no further `if` stands before it. `inner`: inside a loop that `break` ends.
    """
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef():
            return
        case ast.Break() | ast.Continue():
            if not inner:
                yield type(node).__name__.lower(), node
        case ast.Return() | ast.Raise():
            yield type(node).__name__.lower(), node
        case ast.Yield() | ast.YieldFrom() | ast.Await():
            yield "await" if isinstance(node, ast.Await) else "yield", node
        case ast.For() | ast.AsyncFor() | ast.While():
            for child in ast.iter_child_nodes(node):
                yield from leaves(child, inner or child in node.body)
            return
        case _:
            pass
    for child in ast.iter_child_nodes(node):
        yield from (
            found for found in leaves(child, inner) if found[0] != "raise" or not isinstance(node, ast.If)
        )


def _blocks(node: ast.AST) -> int:
    """As how many nested blocks Python counts a statement, at most. A branch that becomes a region is one."""
    match node:
        case ast.For() | ast.AsyncFor() | ast.While():
            return 1
        case ast.With() | ast.AsyncWith():
            return len(node.items)
        case ast.Try() | ast.TryStar():
            return 3
        case _:
            return 0


def _height(node: ast.AST) -> int:
    """How many blocks are nested in a statement, itself included."""
    inner = (_height(child) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))
    return _blocks(node) + max(inner, default=0)


def _touched(nodes: Iterable[ast.stmt]) -> frozenset[str]:
    """The names whose objects are subscripted, have attributes set or methods called, or go to a function."""
    found: set[str] = set()
    for node in (inner for stmt in nodes for inner in ast.walk(stmt)):
        match node:
            case ast.Subscript(value=root) | ast.Attribute(value=root, ctx=ast.Store() | ast.Del()):
                roots = [root]
            case ast.Call(func=ast.Attribute(value=root), args=args, keywords=keywords):
                roots = [root, *args, *(keyword.value for keyword in keywords)]
            case ast.Call(args=args, keywords=keywords):
                roots = [*args, *(keyword.value for keyword in keywords)]
            case _:
                continue
        found.update(name for root in roots if (name := _root(root)) is not None)
    return frozenset(found)


def _root(node: ast.expr) -> str | None:
    """The name that a chain of attributes and subscripts begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
