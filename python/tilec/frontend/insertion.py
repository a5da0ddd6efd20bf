"""Puts the markers into the syntax tree of a function.

New nodes have the places of those they stand for, so that tracebacks and columns stay the user's.
"""

import ast
from collections.abc import Sequence
from typing import TypeVar

from tilec.frontend.continues import WithoutContinue
from tilec.frontend.regions import FunctionFacts, RegionFacts
from tilec.frontend.scopes import Function, own_nodes, target_names
from tilec.frontend.source import MARKERS, Source

Node = TypeVar("Node", bound=ast.AST)

_PREFIX = "__tilec_"

# They look at the frame that calls them, so they are called as they are, and from where they are.
_OF_THE_FRAME = frozenset("super locals globals eval exec vars dir breakpoint __import__".split())


def marked(source: Source, free: frozenset[str]) -> Source:
    """`source` with markers in its function, whose free variables are `free`. Changes the tree."""
    WithoutContinue().visit(source.node)
    facts = FunctionFacts(source.node, free, source.defined)
    _Insertion(facts, source.defined).function(source.node)
    for part in ast.walk(ast.fix_missing_locations(source.node)):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name)) as method) if name.startswith(_PREFIX):
                # Python places a call at the end of its method if that is on another line than its beginning.
                method.end_lineno, method.end_col_offset = method.lineno, method.col_offset
            case _:
                pass
    return source


class _Insertion(ast.NodeTransformer):
    """Inserts the markers of one function, and makes others of its kind for the functions in it."""

    def __init__(self, facts: FunctionFacts, defined: frozenset[str]) -> None:
        self._facts = facts
        self._defined = defined
        self._count = 0
        self._loops: list[tuple[str, RegionFacts] | None] = []

    def function(self, node: Function) -> None:
        if isinstance(node, ast.Lambda):
            node.body = self._expression(node.body)
            return
        docstring = 1 if ast.get_docstring(node, clean=False) is not None else 0
        shared = [part for part in own_nodes(node.body) if isinstance(part, ast.Global | ast.Nonlocal)]
        body = self._block(node.body[docstring:])
        # The markers read names before the place where the user declares them.
        node.body = [*node.body[:docstring], *shared, *body] or [ast.Pass()]

    def _block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        done: list[ast.stmt] = []
        for stmt in body:
            result = self.visit(stmt)
            done += result if isinstance(result, list) else [result]
        return done

    def _expression(self, node: ast.expr) -> ast.expr:
        return self.visit(node)

    def _region(self) -> str:
        self._count += 1
        return f"{_PREFIX}{self._count}__"

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        node.decorator_list = [self._expression(one) for one in node.decorator_list]
        self._defaults(node.args)
        self._inner(node)
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        self._defaults(node.args)
        self._inner(node)
        return node

    def _defaults(self, args: ast.arguments) -> None:
        args.defaults = [self._expression(one) for one in args.defaults]
        args.kw_defaults = [one and self._expression(one) for one in args.kw_defaults]

    def _inner(self, node: ast.FunctionDef | ast.Lambda) -> None:
        scope = self._facts.scope
        facts = FunctionFacts(node, scope.outer | scope.variables, self._defined)
        _Insertion(facts, self._defined).function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        # A lambda does not see the variables of a class around it, so only methods are touched.
        for stmt in node.body:
            if isinstance(stmt, ast.FunctionDef):
                self._inner(stmt)
        return node

    def visit_For(self, node: ast.For) -> list[ast.stmt]:
        facts, region, place = self._facts.regions[node], self._region(), node.iter
        targets = tuple(target_names(node.target))
        exits = _tuple([_tuple([ast.Constant(part) for part in one]) for one in facts.exits])
        begin = _marker(
            "loop", self._expression(node.iter), _texts(facts.names), _texts(targets), _held(facts), exits
        )
        node.target = self._expression(node.target)
        node.iter = ast.copy_location(_load(region), place)
        self._loops.append((region, facts))
        body = self._block(node.body)
        self._loops.pop()
        start, end = (_at(_step(region, step, facts), place) for step in ("begin", "end"))
        node.body = [*start, *body, *end]
        node.orelse = self._block(node.orelse)
        opening = ast.Assign([_store(region)], begin)
        return _at([opening, node, *_step(region, "finish", facts)], place)

    def visit_While(self, node: ast.While) -> ast.stmt:
        if not isinstance(node.test, ast.Constant):
            node.test = _decide(self._expression(node.test), "`while`")
        self._loops.append(None)
        node.body = self._block(node.body)
        self._loops.pop()
        node.orelse = self._block(node.orelse)
        return node

    def visit_Continue(self, node: ast.Continue) -> list[ast.stmt]:
        loop = self._loops[-1]
        return [node] if loop is None else [*_at(_step(loop[0], "end", loop[1]), node), node]

    def visit_If(self, node: ast.If) -> list[ast.stmt]:
        facts, place = self._facts.regions[node], node.test
        node.test = self._expression(node.test)
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        if facts.plain:
            node.test = _decide(node.test, facts.plain)
            return [node]
        region, arm, saved = self._region(), self._region(), self._region()
        opening: list[ast.stmt] = [
            ast.Assign([_store(region)], _marker("branch", node.test, _texts(facts.names), _held(facts)))
        ]
        start = _step(region, "begin", facts)
        if facts.restored:
            opening.append(ast.Assign([_store(saved)], _values(facts.restored, facts)))
            start += _assign(facts.restored, _load(saved), facts)
        node.test = _load(arm)
        body = _at([*start, node, *_step(region, "end", facts)], place)
        arms = ast.For(target=_store(arm), iter=_load(region), body=body, orelse=[])
        return _at([*opening, arms, *_step(region, "finish", facts)], place)

    def visit_Assert(self, node: ast.Assert) -> ast.stmt:
        node.test = _decide(self._expression(node.test), "`assert`")
        node.msg = node.msg and self._expression(node.msg)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.target, node.iter = self._expression(node.target), self._expression(node.iter)
        node.ifs = [_decide(self._expression(test), "`if` of a comprehension") for test in node.ifs]
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.guard = node.guard and _decide(self._expression(node.guard), "`if` of a `case`")
        node.body = self._block(node.body)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        test, body, orelse = (self._expression(part) for part in (node.test, node.body, node.orelse))
        if _movable(body) and _movable(orelse):
            return ast.copy_location(_marker("choose", test, _thunk(body), _thunk(orelse)), node)
        node.test, node.body, node.orelse = _decide(test, "a conditional expression"), body, orelse
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        node.values = [self._expression(value) for value in node.values]
        *before, result = node.values
        if not all(_movable(value) for value in node.values[1:]):
            return node
        marker = "both" if isinstance(node.op, ast.And) else "either"
        for value in reversed(before):
            result = ast.copy_location(_marker(marker, value, _thunk(result)), node)
        return result

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        node.operand = self._expression(node.operand)
        if not isinstance(node.op, ast.Not):
            return node
        return ast.copy_location(_marker("negate", node.operand), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        method = node.func
        if isinstance(method, ast.Attribute) and method.end_lineno != node.lineno:
            # As Python does for a method that is on another line than its object.
            node.lineno = method.end_lineno or node.lineno
            node.col_offset = (method.end_col_offset or 0) - len(method.attr)
        self.generic_visit(node)
        if not (isinstance(node.func, ast.Name) and node.func.id in _OF_THE_FRAME):
            node.func = ast.copy_location(_marker("call", node.func), node.func)
        return node


def _movable(node: ast.expr) -> bool:
    """Whether an expression means the same inside a lambda."""
    for part in own_nodes([node]):
        if isinstance(part, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Await):
            return False
        if isinstance(part, ast.Name) and part.id in _OF_THE_FRAME:
            return False
    return True


def _decide(test: ast.expr, what: str) -> ast.expr:
    return ast.copy_location(_marker("decide", test, ast.Constant(what)), test)


def _step(region: str, step: str, facts: RegionFacts) -> list[ast.stmt]:
    """`(a, b) = region.step((a, b))`."""
    method = ast.Attribute(_load(region), step, ast.Load())
    return _assign(facts.names, ast.Call(method, [_values(facts.names, facts)], []), facts)


def _assign(names: Sequence[str], values: ast.expr, facts: RegionFacts) -> list[ast.stmt]:
    """Assign to variables, and unbind those that get MISSING."""
    done: list[ast.stmt] = [ast.Assign([ast.Tuple([_store(name) for name in names], ast.Store())], values)]
    for name in names:
        if name in facts.unbound:
            missing = ast.Attribute(_load(MARKERS), "MISSING", ast.Load())
            unbind = ast.Delete([ast.Name(name, ast.Del())])
            done.append(ast.If(ast.Compare(_load(name), [ast.Is()], [missing]), [unbind], []))
    return done


def _values(names: Sequence[str], facts: RegionFacts) -> ast.expr:
    reads = (_load(name) for name in names)
    return _tuple(
        [_marker("bound", _thunk(value)) if value.id in facts.unbound else value for value in reads]
    )


def _held(facts: RegionFacts) -> ast.expr:
    return _tuple([_tuple([ast.Constant(name), _thunk(_load(name))]) for name in facts.held])


def _marker(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Attribute(_load(MARKERS), name, ast.Load()), list(args), [])


def _thunk(body: ast.expr) -> ast.expr:
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.copy_location(ast.Lambda(nothing, body), body)


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _texts(values: Sequence[str]) -> ast.expr:
    return _tuple([ast.Constant(value) for value in values])


def _tuple(parts: Sequence[ast.expr]) -> ast.expr:
    return ast.Tuple(list(parts), ast.Load())


def _at(nodes: list[ast.stmt], place: ast.AST) -> list[ast.stmt]:
    """Give new statements the place of a node. What is new in them follows."""
    return [node if hasattr(node, "lineno") else ast.copy_location(node, place) for node in nodes]
