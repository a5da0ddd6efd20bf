"""Scalars of a loop that do not change in it move in front of it."""

from collections.abc import Iterable

from xdsl.dialects.builtin import ContainerType, TensorType
from xdsl.ir import Operation, SSAValue
from xdsl.traits import Pure

from tilec.dialects import pallas


def hoisted(
    ops: Iterable[Operation], arguments: Iterable[SSAValue]
) -> tuple[list[Operation], list[Operation]]:
    """Of the operations of a loop's body, what can run before the loop, and what is left of them.

    `arguments` are what each step has anew. What is computed twice is computed once.
    """
    changing = set(arguments)
    outside: list[Operation] = []
    inside: list[Operation] = []
    for op in once(ops):
        if is_constant_scalar(op) and not any(value in changing for value in op.operands):
            outside.append(op)
        else:
            inside.append(op)
            changing.update(op.results)
    return outside, inside


def once(ops: Iterable[Operation]) -> list[Operation]:
    """The operations without scalars that an earlier one of them computes."""
    known: dict[tuple[object, ...], Operation] = {}
    kept: list[Operation] = []
    for op in ops:
        key = (op.name, tuple(op.operands), tuple(sorted((k, str(v)) for k, v in op.properties.items())))
        key += tuple(str(value.type) for value in op.results)
        if is_constant_scalar(op) and key in known:
            for old, new in zip(op.results, known[key].results, strict=True):
                old.replace_all_uses_with(new)
            continue
        known[key] = op
        kept.append(op)
    return kept


def is_constant_scalar(op: Operation) -> bool:
    """Whether an operation computes scalars from its operands alone, or from memory that is not written."""
    if op.regions or not op.results or any(isinstance(value.type, ContainerType) for value in op.results):
        return False
    if isinstance(op, pallas.LoadOp):
        return isinstance(op.ref.owner, pallas.InSpaceOp | pallas.PrefetchOp)
    tensors = any(isinstance(value.type, TensorType) for value in op.operands)
    return op.has_trait(Pure()) and not tensors
