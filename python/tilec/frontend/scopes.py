"""What a piece of Python does with names: which it reads, which it writes, and to which scope they belong.

Comprehensions, lambdas, functions and classes have scopes of their own: of them only what they do to the
names of the scope around them counts.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

# What uses up a generator at once, so that its body reads variables here and nowhere later.
_CONSUMERS = frozenset("all any dict frozenset list max min set sorted sum tuple".split())


@dataclass(frozen=True)
class Mention:
    """A name, and whether it is written (bound or deleted) or read."""

    name: str
    written: bool


@dataclass(frozen=True)
class Scope:
    """The names of one function.

    `outer` are the variables of the functions around it that it can see.
    """

    parameters: frozenset[str]
    variables: frozenset[str]
    shared: frozenset[str]  # of the variables, those declared nonlocal or global: they outlive a call
    outer: frozenset[str]


@dataclass(frozen=True)
class Closure:
    """A function made at `place` (line, column) that may run at any time later: the names around it that it
    reads and writes.
    """

    place: tuple[int, int]
    reads: frozenset[str]
    writes: frozenset[str]


def scope_of(node: Function, outer: frozenset[str]) -> Scope:
    """The names of a function whose surroundings have the variables `outer`."""
    body = body_of(node)
    shared = frozenset(name for name, _ in _declared(body))
    parameters = frozenset(_parameters(node.args))
    bound = parameters.union(written(body))
    return Scope(parameters, bound | shared, shared, outer - bound)


def body_of(node: Function) -> list[ast.stmt] | list[ast.expr]:
    """What a function runs: statements, or the one expression of a lambda."""
    return [node.body] if isinstance(node, ast.Lambda) else node.body


def own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope, the functions and classes within it included but not their insides."""
    for node in nodes:
        if not node._fields:  # an operator, or the context of a name
            continue
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            yield from own_nodes(ast.iter_child_nodes(node))


def written(nodes: Iterable[ast.AST]) -> dict[str, None]:
    """The names that `nodes` bind or delete, by first appearance."""
    return {mention.name: None for mention in mentions(nodes) if mention.written}


def read(nodes: Iterable[ast.AST]) -> dict[str, None]:
    """The names that `nodes` read, by first appearance."""
    return {mention.name: None for mention in mentions(nodes) if not mention.written}


def mentions(nodes: Iterable[ast.AST]) -> Iterator[Mention]:
    """The names that `nodes` read and write in their scope, in the order of the text."""
    for node in nodes:
        match node:
            case ast.Name():
                yield Mention(node.id, not isinstance(node.ctx, ast.Load))
            case ast.AugAssign(target=ast.Name(id=name)):
                yield Mention(name, False)
                yield from mentions(ast.iter_child_nodes(node))
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield Mention(node.name, True)
                yield from _inner(node)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                yield from _inner(node)
            case _:
                if (name := _bound_name(node)) is not None:
                    yield Mention(name, True)
                if node._fields:  # or it is an operator, or the context of a name
                    yield from mentions(ast.iter_child_nodes(node))


def _bound_name(node: ast.AST) -> str | None:
    """The name that a node binds which is no `Name`."""
    match node:
        case ast.alias():
            return node.asname or node.name.partition(".")[0]
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return node.name
        case ast.MatchMapping():
            return node.rest
        case _:
            return None


def _inner(node: Function | ast.ClassDef | Comprehension) -> Iterator[Mention]:
    """What a nested scope does to the names around it, at once or later."""
    match node:
        case ast.ClassDef():
            yield from mentions([*node.decorator_list, *node.bases, *node.keywords])
            yield from (Mention(name, False) for name in read(node.body))
        case ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from mentions(_evaluated_outside(node))
            yield from (Mention(name, False) for name in outward(node)[0])
        case _:
            own = written(generator.target for generator in node.generators)
            for mention in mentions(ast.iter_child_nodes(node)):
                if mention.name not in own:
                    yield mention
            # Its first iterable is evaluated outside, where its targets are not yet its own.
            yield from mentions([node.generators[0].iter])


def _evaluated_outside(node: Function) -> Iterator[ast.expr]:
    """Expressions of a function that run where it is defined. Annotations bind nothing and are left out."""
    if not isinstance(node, ast.Lambda):
        yield from node.decorator_list
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)


def outward(node: Function) -> tuple[frozenset[str], frozenset[str]]:
    """The names around a function that its body, once called, reads and writes."""
    body = body_of(node)
    declared = dict(_declared(body))
    found = list(mentions(body))
    own = {mention.name for mention in found if mention.written} | set(_parameters(node.args))
    reads = frozenset(m.name for m in found if m.name not in own or declared.get(m.name) is ast.Nonlocal)
    inner = (outward(child)[1] for child in own_nodes(body) if isinstance(child, FUNCTIONS))
    nonlocals = {name for name, kind in declared.items() if kind is ast.Nonlocal}
    return reads, frozenset(nonlocals.union(*(names - own for names in inner)))


def closures(nodes: Iterable[ast.AST]) -> Iterator[Closure]:
    """The functions, classes and generators that `nodes` make and that may run later."""
    consumed: set[ast.AST] = set()
    for node in own_nodes(nodes):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp() as only]) if name in _CONSUMERS:
                consumed.add(only)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield Closure((node.lineno, node.col_offset), *outward(node))
            case ast.ClassDef():
                methods = [outward(child) for child in ast.walk(node) if isinstance(child, FUNCTIONS)]
                names = frozenset[str]()
                yield Closure(
                    (node.lineno, node.col_offset),
                    names.union(*(reads for reads, _ in methods)),
                    names.union(*(writes for _, writes in methods)),
                )
            case ast.GeneratorExp() if node not in consumed:
                yield Closure((node.lineno, node.col_offset), frozenset(read([node])), frozenset())
            case _:
                pass


def target_names(target: ast.expr) -> Iterator[str]:
    """The names that an assignment to `target` binds, in order; "" for a part that is no plain name."""
    match target:
        case ast.Name():
            yield target.id
        case ast.Tuple() | ast.List():
            for part in target.elts:
                yield from target_names(part)
        case ast.Starred():
            yield from target_names(target.value)
        case _:
            yield ""


def _parameters(args: ast.arguments) -> Iterator[str]:
    optional = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
    return (arg.arg for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, *optional])


def _declared(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, type[ast.stmt]]]:
    """The names that a scope declares global or nonlocal, each with which."""
    for node in own_nodes(nodes):
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from ((name, type(node)) for name in node.names)
