"""The loops inside the body of a kernel: of matrix products, and of attention."""

from typing import TYPE_CHECKING, cast

import torch
from torch.fx import Node

from tilec.frontend.whole.arguments import factors
from tilec.frontend.whole.graph import aten, operands, packet, sizes_of
from tilec.frontend.whole.plan import Slot
from tilec.frontend.whole.regions import Attention, Product, Refused
from tilec.frontend.whole.statements import Code, common

if TYPE_CHECKING:
    from tilec.frontend.whole.kernels import Writer


def product_of(writer: "Writer", node: Node) -> Code:
    """A product's value, rounded once. The loop is written before the first of those that share it."""
    product = next(each for each in writer.plan.cluster.products if node in each.rights)
    if node not in writer.sums:
        _sum_products(writer, product)
    main = writer.plan.cluster.main
    rows, columns = writer.plan.order(product.left)[0], writer.plan.order(product.rights[node])[1]
    order, text = writer.plan.order(main), writer.sums[node].text
    if order.index(rows) > order.index(columns):
        rows, columns, text = columns, rows, f"{text}.T"
    dims: tuple[Slot | None, ...] = (rows, columns)
    alpha, beta = node.kwargs.get("alpha", 1), node.kwargs.get("beta", 1)
    text = text if alpha == 1 else f"{text} * {alpha}"
    statements, dtype = writer.statements(main), node.meta["val"].dtype
    if packet(node) in (aten.addmm, aten.baddbmm):
        bias = statements.converted(writer.codes[id(main)][operands(node)[0]], dtype, torch.float32)
        dims = common([bias.dims, dims])
        text += f" + {bias.text}" if beta == 1 else f" + {bias.text} * {beta}"
    return statements.converted(Code(text, dims), torch.float32, dtype)


def _sum_products(writer: "Writer", product: Product) -> None:
    rows = writer.plan.order(product.left)[0]
    for node, region in product.rights.items():
        columns = writer.plan.order(region)[1]
        writer.sums[node] = Code(writer.name("acc"), (rows, columns))
        sizes = f"[{writer.extent(rows)}, {writer.extent(columns)}]"
        writer.line(f"{writer.sums[node].text} = hl.zeros({sizes}, dtype=torch.float32)")
    writer.inner_loop(writer.plan.inner(product), "k")
    writer.region(product.left)
    lhs = writer.operand(product.left, product.lhs)
    for node, region in product.rights.items():
        writer.region(region)
        rhs, total = writer.operand(region, factors(node)[-1]), writer.sums[node].text
        writer.line(f"{total} = hl.dot({lhs}, {rhs}, acc={total})")
    writer.depth -= 1


def attention_of(writer: "Writer", node: Node) -> Code:
    """One of the results of attention: the sum of values, or the logarithm of the sum of exponentials."""
    attention = next(each for each in writer.plan.cluster.attentions if node in each.nodes)
    if node not in writer.sums:
        _sum_values(writer, attention)
    code = writer.sums[node]
    return writer.statements(writer.plan.cluster.main).converted(code, torch.float32, node.meta["val"].dtype)


def _sum_values(writer: "Writer", attention: Attention) -> None:
    """Each step corrects what was summed by the largest score so far, which is that of a row."""
    main, given = writer.plan.cluster.main, attention.given
    order = writer.plan.order(main)
    if len(order) != 2 or [order[0]] != writer.plan.slots((attention.rows,)):
        raise Refused("queries of attention have more than two dimensions in a step")
    rows, columns = (writer.extent(slot) for slot in order)
    queries = writer.operand(main, given.q)
    top, total, acc = (writer.name(each) for each in ("top", "total", "acc"))
    writer.line(f'{top} = hl.full([{rows}, 1], float("-inf"), dtype=torch.float32)')
    writer.line(f"{total} = hl.zeros([{rows}, 1], dtype=torch.float32)")
    writer.line(f"{acc} = hl.zeros([{rows}, {columns}], dtype=torch.float32)")
    keys = writer.plan.inner(attention)
    writer.inner_loop(keys, "n")
    scores = _scores(writer, attention, queries, f"{rows}.index[:, None] >= {writer.extent(keys)}.index")
    largest, weights, scale = (writer.name(each) for each in ("largest", "weights", "scale"))
    writer.line(f"{largest} = torch.maximum({top}, torch.amax({scores}, -1, keepdim=True))")
    least = largest
    if given.mask is not None:
        # Of a row whose scores are all masked, so that -inf is not taken from -inf.
        least = writer.name("least")
        writer.line(f'{least} = torch.where({largest} == float("-inf"), 0.0, {largest})')
    writer.line(f"{weights} = torch.exp({scores} - {least})")
    writer.line(f"{scale} = torch.exp({top} - {least})")
    writer.line(f"{total} = {total} * {scale} + torch.sum({weights}, -1, keepdim=True)")
    writer.region(attention.values)
    values = writer.operand(attention.values, given.v)
    dtype = given.v.meta["val"].dtype
    narrow = weights if dtype is torch.float32 else f"{weights}.to({dtype})"
    writer.line(f"{acc} = hl.dot({narrow}, {values}, acc={acc} * {scale})")
    writer.line(f"{top} = {largest}")
    writer.depth -= 1
    _results(writer, attention, (top, total, acc), order)


def _scores(writer: "Writer", attention: Attention, queries: str, causal: str) -> str:
    """The name of the masked products of queries and keys, f32."""
    given = attention.given
    writer.region(attention.keys)
    keys = writer.operand(attention.keys, given.k)
    scores = writer.name("scores")
    writer.line(f"{scores} = hl.dot({queries}, {keys}.T) * {given.scale!r}")
    if given.causal:
        writer.line(f'{scores} = torch.where({causal}, {scores}, float("-inf"))')
    if given.mask is not None:
        writer.region(attention.mask)
        mask, dtype = writer.codes[id(attention.mask)][given.mask].text, given.mask.meta["val"].dtype
        masked = f'torch.where({mask}, {scores}, float("-inf"))'
        if dtype is not torch.bool:
            masked = f"{scores} + {mask}" + ("" if dtype is torch.float32 else f".to({torch.float32})")
        writer.line(f"{scores} = {masked}")
    return scores


def _results(writer: "Writer", attention: Attention, names: tuple[str, str, str], order: list[Slot]) -> None:
    """What torch returns; of rows that are masked wholly, zeros."""
    top, total, acc = names
    if attention.given.mask is not None:
        writer.line(f"{top} = torch.where({total} == 0.0, 0.0, {top})")
        writer.line(f"{total} = torch.where({total} == 0.0, 1.0, {total})")
    for node in attention.nodes:
        out = node.args[1] == 0
        code = (
            Code(f"{acc} / {total}", tuple(order))
            if out
            else Code(f"{top} + torch.log({total})", (order[0], None))
        )
        writer.sums[node] = writer.assigned(node, code)


def segments_of(writer: "Writer", node: Node) -> Code:
    """The sums over the rows of a segment, rounded once."""
    main = writer.plan.cluster.main
    segments = next(each for each in writer.plan.cluster.segments if each.node is node)
    order, offsets = writer.plan.order(main), cast("Node", node.kwargs["offsets"])
    group = writer.extent(writer.plan.slots((segments.groups,))[0])
    total = writer.name("acc")
    sizes = ", ".join(writer.extent(slot) for slot in order)
    writer.line(f"{total} = hl.zeros([{sizes}], dtype=torch.float32)")
    array = writer.argument(offsets, sizes_of(offsets))
    writer.inner_loop(writer.plan.inner(segments), "s", f"{array}[{group}], {array}[{group} + 1]")
    writer.region(segments.rows)
    data = cast("Node", node.args[0])
    rows = writer.operand(segments.rows, data)
    writer.line(f"{total} = {total} + torch.sum({rows}, 0, dtype=torch.float32)")
    writer.depth -= 1
    statements = writer.statements(main)
    return statements.converted(Code(total, tuple(order)), torch.float32, node.meta["val"].dtype)
