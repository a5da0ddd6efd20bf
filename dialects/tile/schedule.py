"""Schedule level of the `tile` dialect: pipelines, their axes and windows, on-chip places, worklists.

A `tile.pipeline` is one flat region. Its axes are operations: what follows a `tile.axis` runs once for each
of its steps, so a later axis is inner and its bounds may be computed from earlier ones. Windows and scratch
are references to on-chip memory; the rest of the region reads and writes those.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Attribute, Region, SpacedOpaqueSyntaxAttribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    HasParent,
    NoTerminator,
    RecursiveMemoryEffect,
)
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.str_enum import StrEnum

from .access import (
    AccessOp,
    Dim,
    Effect,
    pack_window,
    parse_access,
    parse_placement,
    print_placement,
    print_window,
    window_value_type,
)
from .axes import Axis, Order, OrderAttr, parse_axis_tail, print_axis_tail, verify_axis
from .locals import is_local
from .syntax import (
    Bounds,
    dense_i64,
    ints_of,
    pack_bounds,
    unit_if,
    unpack_bounds,
)
from .types import UNBOUND, RefType, shape_of, span_of


class Loop(StrEnum):
    """How a pipeline's steps run.

    As the grid of a `pallas_call`, in one `emit_pipeline` in a kernel, or in a `fori_loop` in a kernel that
    copies the windows itself.
    """

    GRID = "grid"
    EMIT_PIPELINE = "emit_pipeline"
    FORI_LOOP = "fori_loop"


@irdl_attr_definition
class LoopAttr(EnumAttribute[Loop], SpacedOpaqueSyntaxAttribute):
    """How the steps of a pipeline run."""

    name = "tile.loop"


@irdl_op_definition
class PipelineOp(IRDLOperation):
    """Steps of one kernel: axes, windows and scratch, then what each step does.

    `loop` says what runs the steps. A window's data is fetched before the step that reads it and written back
    after the last of consecutive steps that share it. In a `fori_loop` the leading parallel axes are the
    grid around it, and at least the last axis is in the loop; `nested` says that each axis in it is a loop of
    its own, so that its extent may depend on the axes before it. `strips m:256 n:128` says in what order a
    step is done: in strips of 256 lanes of the first axis, each in parts of 128 of the second. `vmem` is the
    on-chip memory, in bytes, that `--plan-memory` counted.

    Example:
        tile.pipeline grid {
          %m = tile.axis 0 to 512 by m:128 parallel
          %xw = tile.window read %x[%m]
          %yw = tile.window write %y[%m]
          %v = tile.get %xw
          tile.set %v, %yw
        }
    """

    name = "tile.pipeline"
    loop = prop_def(LoopAttr)
    nested = opt_prop_def(UnitAttr)
    strips = opt_prop_def(DictionaryAttr)
    vmem = opt_prop_def(IntegerAttr)
    chip = opt_prop_def(StringAttr)
    body = region_def("single_block")
    traits = traits_def(NoTerminator(), RecursiveMemoryEffect())

    def __init__(self, loop: Loop, body: Region):
        super().__init__(properties={"loop": LoopAttr(loop)}, regions=[body])

    @property
    def strip_sizes(self) -> dict[str, int]:
        """The sizes of strips and of their parts, by their axes; none where a step is done at once."""
        if self.strips is None:
            return {}
        return {name: int(cast("IntegerAttr", size).value.data) for name, size in self.strips.data.items()}

    def set_strips(self, sizes: Mapping[str, int]) -> None:
        self.strips = DictionaryAttr({name: IntegerAttr(size, i64) for name, size in sizes.items()})

    @property
    def axes(self) -> list["AxisOp"]:
        """The axes, outermost first."""
        return [op for op in self.body.block.ops if isinstance(op, AxisOp)]

    @property
    def windows(self) -> list["WindowOp"]:
        return [op for op in self.body.block.ops if isinstance(op, WindowOp)]

    @classmethod
    def parse(cls, parser: Parser) -> "PipelineOp":
        loop = parser.parse_str_enum(Loop)
        nested = parser.parse_optional_keyword("nested") is not None
        strips: dict[str, int] = {}
        if parser.parse_optional_keyword("strips"):
            for _ in range(2):
                name = parser.parse_identifier("an axis")
                parser.parse_punctuation(":")
                strips[name] = parser.parse_integer(allow_boolean=False, allow_negative=False)
        chip = vmem = None
        if parser.parse_optional_keyword("vmem"):
            vmem = parser.parse_integer(allow_boolean=False, allow_negative=False)
            parser.parse_keyword("on")
            chip = parser.parse_identifier("a chip")
        op = cls(loop, parser.parse_region())
        op.nested = unit_if(nested)
        if strips:
            op.set_strips(strips)
        if vmem is not None and chip is not None:
            op.vmem, op.chip = IntegerAttr(vmem, i64), StringAttr(chip)
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.loop.data}")
        if self.nested is not None:
            printer.print_string(" nested")
        if self.strips is not None:
            parts = [f"{name}:{size}" for name, size in self.strip_sizes.items()]
            printer.print_string(f" strips {' '.join(parts)}")
        if self.vmem is not None and self.chip is not None:
            printer.print_string(f" vmem {self.vmem.value.data} on {self.chip.data}")
        printer.print_string(" ")
        printer.print_region(self.body, print_block_terminators=False)

    def verify_(self) -> None:
        if self.nested is not None and self.loop.data is not Loop.FORI_LOOP:
            raise VerifyException(
                f"tile.pipeline is {self.loop.data} nested; only the loops of a fori_loop nest"
            )
        for name, size in self.strip_sizes.items():
            spans = [span for op in self.body.block.ops for value in op.results if (span := span_of(value))]
            whole = next((span.size for span in spans if span.axis == name), 0)
            if not size or not whole or whole % size:
                raise VerifyException(
                    f"tile.pipeline has strips of {size} along {name}, and a tile has {whole} there; it must "
                    "be a multiple"
                )


@irdl_op_definition
class AxisOp(IRDLOperation):
    """An axis of a pipeline: what follows runs once for each step, in order of index if it is `ordered`.

    Bounds and `by` are those of `tile.grid`. An `aligned` tile axis begins its first tile at the multiple of
    the block size at or below `begin`; lanes before `begin` are dead, as those from `end` on are. A `keep`
    axis makes one step with no live lane where its range is empty: at its begin, inside the array.

    Example:
        tile.pipeline grid {
          %g = tile.axis 0 to 8 ordered
          %b, %e = tile.segment %offsets[%g]
          %m = tile.axis %b to %e by m:128 ordered aligned keep
        }
    """

    name = "tile.axis"
    bound_operands = var_operand_def()  # `verify_axis` says more of a wrong type than a constraint would
    static_bounds = prop_def(DenseArrayBase)
    limits = prop_def(DenseArrayBase)
    means = opt_prop_def(DenseArrayBase)
    order = prop_def(OrderAttr)
    aligned = opt_prop_def(UnitAttr)
    keep = opt_prop_def(UnitAttr)
    result = result_def()
    traits = traits_def(HasParent(PipelineOp))

    def __init__(
        self,
        bounds: Bounds[SSAValue],
        kind: Attribute,
        order: Order,
        *,
        aligned: bool = False,
        keep: bool = False,
    ):
        operands, properties = pack_bounds([bounds])
        super().__init__(
            operands=[operands],
            properties={
                **properties,
                "order": OrderAttr(order),
                "aligned": unit_if(aligned),
                "keep": unit_if(keep),
            },
            result_types=[kind],
        )

    @property
    def axis(self) -> Axis:
        """Induction value, bounds and order."""
        (bounds,) = unpack_bounds(self.name, self.bound_operands, self.static_bounds, self.limits, self.means)
        return Axis(self.result, bounds, self.order.data)

    @classmethod
    def parse(cls, parser: Parser) -> "AxisOp":
        pos = parser.pos
        bounds, kind, order = parse_axis_tail(parser)
        if bounds.exact:
            parser.raise_error("an axis of a pipeline is exact unless it is `aligned`", pos)
        if order is None:
            parser.raise_error("an axis of a pipeline is `parallel` or `ordered`", pos)
        aligned = parser.parse_optional_keyword("aligned") is not None
        keep = parser.parse_optional_keyword("keep") is not None
        return cls(bounds, kind, order, aligned=aligned, keep=keep)

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        print_axis_tail(printer, self.axis.bounds, self.result.type, self.order.data)
        if self.aligned is not None:
            printer.print_string(" aligned")
        if self.keep is not None:
            printer.print_string(" keep")

    def verify_(self) -> None:
        verify_axis(self, self.axis)
        if self.aligned is not None and span_of(self.result) is None:
            raise VerifyException(
                "tile.axis is aligned but has no block; only a tile axis (`by`) can be aligned"
            )


@irdl_op_definition
class WindowOp(AccessOp):
    """The window of one access, as a reference to the on-chip memory that holds it during a step.

    `write` windows are written back; with `preload` they first hold what the array held, where a step may
    leave lanes unwritten. `fetch` gives the extents of what is copied at once, one for each dimension of the
    array, where that is more than the window: a multiple of it, or all that the dimension has; of rows of a
    matrix also where they are indexed one by one. Where tiles begin between those of the array, such a block
    begins with the tile of memory in which they do; `from N` says that it begins as that of a window shifted
    by N would, and windows shifted by several numbers can share it. `buffers N` is how many of those copies
    exist. A `clipped` window may reach beyond its array, where its lanes are undefined; no other may with a
    live lane. `kept N` gives it N buffers, for all tiles of a range of so many: windows that come back to
    them copy none.

    Example:
        tile.pipeline grid {
          %m = tile.axis 0 to 512 by m:128 parallel
          %k = tile.axis 0 to 128 by k:32 ordered
          %xw = tile.window read %x[%m, %k] fetch [128, 128] buffers 2
          %yw = tile.window write %y[%m] preload
          %zw = tile.window read %x[%m + 1, %k] clipped fetch [144, 128] from -3
        }
    """

    name = "tile.window"
    mode = prop_def(StringAttr)
    preload = opt_prop_def(UnitAttr)
    clipped = opt_prop_def(UnitAttr)
    fetch = opt_prop_def(DenseArrayBase)
    origin = opt_prop_def(IntegerAttr)
    buffers = opt_prop_def(IntegerAttr)
    kept = opt_prop_def(IntegerAttr)
    result = result_def(RefType)
    traits = traits_def(HasParent(PipelineOp))

    def __init__(self, effect: Effect, array: SSAValue, window: Sequence[Dim], *, preload: bool = False):
        operands, kinds, shifts = pack_window(window)
        value = window_value_type(array.type, window)
        super().__init__(
            operands=[array, operands],
            properties={
                "mode": StringAttr(effect),
                "kinds": kinds,
                "shifts": shifts,
                "preload": unit_if(preload),
            },
            result_types=[RefType(value)],
        )

    @property
    def effect(self) -> Effect:
        return Effect(self.mode.data)

    @property
    def extents(self) -> tuple[int, ...]:
        """What is copied at once: an extent for each dimension of the array, 1 where it is indexed."""
        return self.tile_extents if self.fetch is None else ints_of(self.fetch)

    @property
    def tile_extents(self) -> tuple[int, ...]:
        """What one step works on, an extent for each dimension of the array."""
        return tuple(
            extent if dim.full else span.size if (span := dim.span) is not None else 1
            for dim, extent in zip(self.window, shape_of(self.array.type), strict=True)
        )

    @classmethod
    def parse(cls, parser: Parser) -> "WindowOp":
        effect = parser.parse_str_enum(Effect)
        op = cls(effect, *parse_access(parser))
        op.placement = parse_placement(parser)
        op.preload = unit_if(parser.parse_optional_keyword("preload"))
        op.clipped = unit_if(parser.parse_optional_keyword("clipped"))
        if parser.parse_optional_keyword("fetch"):
            extents = parser.parse_comma_separated_list(
                parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False)
            )
            op.fetch = dense_i64(extents)
            if parser.parse_optional_keyword("from"):
                op.origin = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
        if parser.parse_optional_keyword("buffers"):
            op.buffers = IntegerAttr(parser.parse_integer(allow_boolean=False), i64)
        if parser.parse_optional_keyword("kept"):
            op.kept = IntegerAttr(parser.parse_integer(allow_boolean=False, allow_negative=False), i64)
        return op

    def print(self, printer: Printer) -> None:
        printer.print_string(f" {self.effect} ")
        printer.print_ssa_value(self.array)
        print_window(printer, self.window)
        print_placement(printer, self)
        if self.preload is not None:
            printer.print_string(" preload")
        if self.clipped is not None:
            printer.print_string(" clipped")
        if self.fetch is not None:
            printer.print_string(f" fetch {list(ints_of(self.fetch))}")
        if self.origin is not None:
            printer.print_string(f" from {self.origin.value.data}")
        if self.buffers is not None:
            printer.print_string(f" buffers {self.buffers.value.data}")
        if self.kept is not None:
            printer.print_string(f" kept {self.kept.value.data}")

    def verify_(self) -> None:
        if self.mode.data not in (Effect.READ, Effect.WRITE):
            raise VerifyException(f"tile.window is `{self.mode.data}`; it is `read` or `write`")
        self.verify_window()
        expected = RefType(self.window_type)
        if self.result.type != expected:
            raise VerifyException(f"tile.window is of type {expected}, not {self.result.type}")
        if self.preload is not None and self.effect != Effect.WRITE:
            raise VerifyException("tile.window: only a `write` window can be preloaded")
        if self.clipped is not None and self.effect != Effect.READ:
            raise VerifyException("tile.window: only a `read` window can be clipped")
        if self.kept is not None and (self.effect != Effect.READ or self.buffers is None):
            raise VerifyException("tile.window: only a `read` window with `buffers` can be kept")
        if self.fetch is not None:
            self._verify_fetch(ints_of(self.fetch))
        if self.origin is not None and (self.effect != Effect.READ or self.fetch is None):
            raise VerifyException("tile.window: only a `read` window with `fetch` can begin `from` a shift")

    def _begins_anywhere(self, position: int) -> bool:
        """Whether tiles may begin between multiples of their size; a block that holds one is longer."""
        dim = self.window[position]
        if dim.span is None or dim.base is None:
            return False
        owner, size = dim.base.owner, dim.span.size
        begin = owner.axis.bounds.begin if isinstance(owner, AxisOp) else None
        aligned = getattr(owner, "aligned", None) is not None or (
            isinstance(begin, int) and begin % size == 0
        )
        return not aligned or not isinstance(dim.shift, int) or dim.shift % size != 0

    def _verify_fetch(self, extents: Sequence[int]) -> None:
        shape, tile = shape_of(self.array.type), self.tile_extents
        if len(extents) != len(shape):
            raise VerifyException(
                f"tile.window fetches {len(extents)} extents of an array of rank {len(shape)}; "
                "give one for each dimension"
            )
        for position, (extent, least, whole) in enumerate(zip(extents, tile, shape, strict=True)):
            row = len(shape) == 2 and position == 0 and self.window[1].kept
            part = self.window[position].span is not None or (row and not self.window[0].full)
            indexed = not self.window[position].full or is_local(self.array)
            everything = indexed and whole != UNBOUND and extent >= max(whole, least)
            whole_tiles = extent % least == 0 or (
                position >= len(shape) - 2 and self._begins_anywhere(position)
            )
            if extent != least and not everything and (not part or extent < least or not whole_tiles):
                accepted = f"a multiple of {least}" if part else str(least)
                accepted += f", or {whole} and more," if part and whole != UNBOUND else ""
                raise VerifyException(
                    f"tile.window fetches {extent} in dimension {position}, where its tile is {least}; "
                    f"{accepted} is accepted"
                )
