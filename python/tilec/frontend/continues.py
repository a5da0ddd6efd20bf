"""`continue` in a `for` loop as the `else` of its condition, so that the loop can be traced once.

    for t in ITER:            for t in ITER:
        if C:                     if C:
            A                         A
            continue              else:
        REST                          REST

Both run alike in Python, so this is done to all loops whose `continue`s stand in branches alone. What follows
a branch that only sometimes ends in one is needed after both of its arms, and so stands there twice.
"""

import ast
import copy
from collections.abc import Sequence

_MOST = 6
"""How many `continue`s a loop may have. Each may double what follows it."""


class WithoutContinue(ast.NodeTransformer):
    """Changes the `for` loops of a function, and of those in it."""

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        if 0 < sum(map(_continues, node.body)) <= _MOST:
            node.body = _without(node.body) or node.body
        return node


def _without(body: Sequence[ast.stmt]) -> list[ast.stmt] | None:
    """Statements of a loop that do the same without `continue`; `None` where one stands in no branch, or
    before what never runs: that may make a name a variable.
    """
    for place, stmt in enumerate(body):
        before, rest = list(body[:place]), body[place + 1 :]
        if isinstance(stmt, ast.Continue):
            return None if rest else before or [ast.copy_location(ast.Pass(), stmt)]
        if not _continues(stmt):
            continue
        if not isinstance(stmt, ast.If) or (rest and _ends(stmt.body) and _ends(stmt.orelse)):
            return None
        arms = [
            _without(arm if _ends(arm) else [*arm, *copy.deepcopy(rest)]) for arm in (stmt.body, stmt.orelse)
        ]
        if arms[0] is None or arms[1] is None:
            return None
        body_arm = arms[0] or [ast.copy_location(ast.Pass(), stmt)]
        return [*before, ast.copy_location(ast.If(stmt.test, body_arm, arms[1]), stmt)]
    return list(body)


def _ends(arm: Sequence[ast.stmt]) -> bool:
    return bool(arm) and isinstance(arm[-1], ast.Continue)


def _continues(node: ast.AST) -> int:
    """How many times a statement has a `continue` of the loop around it."""
    match node:
        case ast.Continue():
            return 1
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.expr():
            return 0
        case ast.For() | ast.AsyncFor() | ast.While():
            return sum(map(_continues, node.orelse))
        case _:
            return sum(map(_continues, ast.iter_child_nodes(node)))
