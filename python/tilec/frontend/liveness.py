"""Which variables of a function are still wanted at a statement, and which are surely bound there.

Both follow the shape of the statements: there is no graph. Liveness walks backwards and repeats loops until
nothing changes; what is bound walks forwards once. Where control may leave a statement early (an exception
that a handler or a `with` takes, `break`, `return` through `finally`), both err towards "wanted" and "perhaps
unbound".
"""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tilec.frontend.scopes import Scope, read, target_names, written

Names: TypeAlias = frozenset[str]
NONE: Names = frozenset()


@dataclass(frozen=True)
class _Jumps:
    """What is live at the places that control may jump to."""

    breaks: Names
    continues: Names
    returns: Names
    raises: Names


class Liveness:
    """For each statement of a function the variables that may be read `after` it before they are written, and
    those that may be read from its beginning on, `into` it; for each loop those live at its `head`, before
    its next step.
    """

    def __init__(self, scope: Scope, body: Sequence[ast.stmt]) -> None:
        self.after: dict[ast.stmt, Names] = {}
        self.into: dict[ast.stmt, Names] = {}
        self.head: dict[ast.stmt, Names] = {}
        kept = scope.shared
        self._variables = scope.variables
        self._block(body, kept, _Jumps(kept, kept, kept, kept))

    def _block(self, body: Sequence[ast.stmt], live: Names, jumps: _Jumps) -> Names:
        for stmt in reversed(body):
            self.after[stmt] = live
            live = self._statement(stmt, live, jumps) | jumps.raises
            self.into[stmt] = live
        return live

    def _reads(self, *nodes: ast.AST | None) -> Names:
        found = read(node for node in nodes if node is not None)
        return self._variables.intersection(found)

    def _statement(self, stmt: ast.stmt, after: Names, jumps: _Jumps) -> Names:
        match stmt:
            case ast.If():
                arms = self._block(stmt.body, after, jumps) | self._block(stmt.orelse, after, jumps)
                return arms | self._reads(stmt.test)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self._loop(stmt, after, jumps)
            case ast.With() | ast.AsyncWith():
                # A context manager may swallow an exception: then what follows comes next.
                body = self._block(stmt.body, after, replace(jumps, raises=jumps.raises | after))
                return (body - _binds(stmt)) | self._reads(*stmt.items) | after
            case ast.Try() | ast.TryStar():
                return self._try(stmt, after, jumps)
            case ast.Match():
                cases = (self._block(case.body, after, jumps) for case in stmt.cases)
                tests = [node for case in stmt.cases for node in (case.pattern, case.guard)]
                return after.union(*cases) | self._reads(stmt.subject, *tests)
            case ast.Break():
                return jumps.breaks
            case ast.Continue():
                return jumps.continues
            case ast.Return() | ast.Raise():
                left = jumps.returns if isinstance(stmt, ast.Return) else jumps.raises
                return left | self._reads(stmt)
            case _:
                return (after - _binds(stmt) - _deletes(stmt)) | self._reads(stmt)

    def _loop(self, stmt: ast.For | ast.AsyncFor | ast.While, after: Names, jumps: _Jumps) -> Names:
        done = self._block(stmt.orelse, after, jumps)
        if isinstance(stmt, ast.While):
            bound, each, once = NONE, self._reads(stmt.test), NONE
        else:
            bound, each, once = _binds(stmt), self._reads(stmt.target), self._reads(stmt.iter)
        head = done | each | self.head.get(stmt, NONE)  # sets only grow when an outer loop comes again
        while True:
            inside = replace(jumps, breaks=after, continues=head)
            wider = head | (self._block(stmt.body, head, inside) - bound)
            if wider == head:
                break
            head = wider
        self.head[stmt] = head
        return head | once

    def _try(self, stmt: ast.Try | ast.TryStar, after: Names, jumps: _Jumps) -> Names:
        if stmt.finalbody:
            leaving = after | jumps.breaks | jumps.continues | jumps.returns | jumps.raises
            after = self._block(stmt.finalbody, leaving, jumps)
            jumps = _Jumps(after, after, after, after)
        handlers = jumps.raises
        for handler in stmt.handlers:
            body = self._block(handler.body, after, jumps)
            handlers |= (body - {handler.name}) | self._reads(handler.type)
        done = self._block(stmt.orelse, after, jumps)
        return self._block(stmt.body, done, replace(jumps, raises=handlers)) | handlers


class Bound:
    """For each statement of a function the variables that are surely bound `before` it."""

    def __init__(self, scope: Scope, body: Sequence[ast.stmt]) -> None:
        self.before: dict[ast.stmt, Names] = {}
        # What is deleted anywhere is never sure: deletions need no other attention then.
        self._all = scope.variables - scope.shared - _deleted(body)
        self._block(body, scope.parameters & self._all)

    def _block(self, body: Sequence[ast.stmt], bound: Names) -> Names:
        for stmt in body:
            self.before[stmt] = bound
            bound = self._after(stmt, bound)
        return bound

    def _after(self, stmt: ast.stmt, bound: Names) -> Names:
        inside = bound | (_binds(stmt) & self._all)
        match stmt:
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
                return self._all
            case ast.If():
                return self._block(stmt.body, bound) & self._block(stmt.orelse, bound)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._block(stmt.body, inside)
                self._block(stmt.orelse, bound)
                return bound
            case ast.With() | ast.AsyncWith():
                self._block(stmt.body, inside)
                return bound
            case ast.Try() | ast.TryStar():
                done = self._block(stmt.orelse, self._block(stmt.body, bound))
                for handler in stmt.handlers:
                    done &= self._block(handler.body, bound)
                return done | self._block(stmt.finalbody, bound)
            case ast.Match():
                for case in stmt.cases:
                    self._block(case.body, bound)
                return bound
            case _:
                return inside


def _binds(stmt: ast.stmt) -> Names:
    """The variables that a statement surely binds: before its body, if it has one."""
    match stmt:
        case ast.Assign():
            return NONE.union(*(target_names(target) for target in stmt.targets))
        case ast.AugAssign() | ast.For() | ast.AsyncFor():
            return frozenset(target_names(stmt.target))
        case ast.AnnAssign(value=ast.expr()):
            return frozenset(target_names(stmt.target))
        case ast.With() | ast.AsyncWith():
            targets = [item.optional_vars for item in stmt.items if item.optional_vars]
            return NONE.union(*(target_names(target) for target in targets))
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return frozenset([stmt.name])
        case ast.Import() | ast.ImportFrom():
            return frozenset(written(stmt.names))
        case _:
            return NONE


def _deletes(stmt: ast.stmt) -> Names:
    if not isinstance(stmt, ast.Delete):
        return NONE
    return NONE.union(*(target_names(target) for target in stmt.targets))


def _deleted(body: Iterable[ast.stmt]) -> Names:
    """The names that a function, or one inside it, deletes; a handler deletes the name of its exception."""
    found: set[str] = set()
    for node in (inner for stmt in body for inner in ast.walk(stmt)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            found.add(node.id)
        if isinstance(node, ast.ExceptHandler) and node.name is not None:
            found.add(node.name)
    return frozenset(found)
