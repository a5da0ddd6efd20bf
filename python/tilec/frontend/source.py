"""The source of a function as a syntax tree, and code made from such a tree that stands in its place."""

import __future__

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, cast

from tilec.frontend.scopes import FUNCTIONS, Function

MARKERS = "__tilec__"
_FACTORY = "__tilec_factory__"
_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


@dataclass(frozen=True)
class Source:
    """The syntax tree of a function, a copy that may be changed.

    `owner` is the class that its private names belong to. `defined` are the names that its module imports,
    or defines as functions or classes.
    """

    node: Function
    owner: str | None
    defined: frozenset[str]


def source_of(fn: FunctionType) -> Source | None:
    """The source that `fn` was compiled from, or None if it cannot be had or told apart from others."""
    code = fn.__code__
    linecache.checkcache(code.co_filename)
    try:
        module = _parse("".join(linecache.getlines(code.co_filename, fn.__globals__)))
    except (SyntaxError, ValueError):
        return None
    found = [
        (stmt, node, owner)
        for stmt in module.body
        for node, owner in _functions(stmt, None)
        if _matches(node, code)
    ]
    if len(found) != 1:
        return None
    (stmt, node, owner) = found[0]
    # The file may have changed since, or its tests been rewritten: then the code has names of its own.
    unchanged = any(_names(one) <= _names(code) for one in _compiled(stmt, code))
    return Source(_copied(node), owner, _defined(module)) if unchanged else None


@lru_cache(maxsize=16)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def _functions(node: ast.AST, owner: str | None) -> Iterator[tuple[Function, str | None]]:
    """The functions in a tree, each with the class that its private names belong to."""
    if isinstance(node, FUNCTIONS):
        yield node, owner
    if isinstance(node, ast.ClassDef):
        owner = node.name
    for child in ast.iter_child_nodes(node):
        yield from _functions(child, owner)


def _compiled(stmt: ast.stmt, code: CodeType) -> Iterator[CodeType]:
    """The code in a statement of a module that has the name and the first line of `code`."""
    flags = code.co_flags & _FUTURE
    pending = [compile(ast.Module([stmt], []), code.co_filename, "exec", flags, dont_inherit=True)]
    while pending:
        one = pending.pop()
        pending += [part for part in one.co_consts if isinstance(part, CodeType)]
        if (one.co_name, one.co_firstlineno) == (code.co_name, code.co_firstlineno):
            yield one


def _copied(tree: Any) -> Any:
    """What `copy.deepcopy` does, several times as fast."""
    if isinstance(tree, list):
        return [_copied(part) for part in cast(list[Any], tree)]
    if not isinstance(tree, ast.AST):
        return tree
    return type(tree)(**{name: _copied(part) for name, part in vars(tree).items()})


def _matches(node: Function, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno and _returns(code, node.body)
    first = min(part.lineno for part in (node, *node.decorator_list))
    return node.name == code.co_name and first == code.co_firstlineno


def _returns(code: CodeType, body: ast.expr) -> bool:
    """Whether `code`, of a lambda, has the expression `body`, by its place in the text."""
    place = (body.lineno, body.end_lineno, body.col_offset, body.end_col_offset)
    return place in code.co_positions()


def _names(code: CodeType) -> frozenset[str]:
    return frozenset([*code.co_names, *code.co_varnames, *code.co_cellvars, *code.co_freevars])


def _defined(module: ast.Module) -> frozenset[str]:
    found: set[str] = set()
    for stmt in module.body:
        if isinstance(stmt, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(stmt.name)
        if isinstance(stmt, ast.Import):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in stmt.names)
    return frozenset(found)


def recompiled(code: CodeType, source: Source) -> CodeType:
    """The code of `source`, changed or not, in the place of `code`: the same file, name and free variables,
    and one more, `__tilec__`, where the source reads it. Consumes the tree.
    """
    free = dict.fromkeys([MARKERS, *code.co_freevars])
    path = [_FACTORY, code.co_name]
    body: list[ast.stmt] = [_bare(source.node)]
    if source.owner is not None:
        # Private names take the name of the class without the underscores before it, so that no name in the
        # function can mean this class.
        path.insert(1, f"__{source.owner}")
        body = [ast.ClassDef(name=path[1], bases=[], keywords=[], body=body, decorator_list=[])]
    parameters = [ast.arg(arg=name) for name in free]
    arguments = ast.arguments(posonlyargs=[], args=parameters, kwonlyargs=[], kw_defaults=[], defaults=[])
    factory = ast.FunctionDef(name=_FACTORY, args=arguments, body=body, decorator_list=[])
    module = ast.fix_missing_locations(ast.Module(body=[factory], type_ignores=[]))
    made = compile(module, code.co_filename, "exec", code.co_flags & _FUTURE, dont_inherit=True)
    for name in path:
        made = next(part for part in made.co_consts if isinstance(part, CodeType) and part.co_name == name)
    return _requalified(made, made.co_qualname, code.co_qualname)


def _bare(node: Function) -> ast.stmt:
    """A function without lambdas in its defaults. Of its decorators one place stays, for the first line."""
    node.args.defaults = []
    node.args.kw_defaults = [None for _ in node.args.kwonlyargs]
    if isinstance(node, ast.Lambda):
        return ast.copy_location(ast.Expr(node), node)
    node.decorator_list = [ast.copy_location(ast.Constant(None), one) for one in node.decorator_list[:1]]
    return node


def _requalified(code: CodeType, old: str, new: str) -> CodeType:
    """`code` and the functions in it with qualified names that begin with `new` instead of `old`."""
    consts = tuple(
        _requalified(part, old, new) if isinstance(part, CodeType) else part for part in code.co_consts
    )
    return code.replace(co_consts=consts, co_qualname=new + code.co_qualname.removeprefix(old))
