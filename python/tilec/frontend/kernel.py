"""`tilec.kernel`: functions that are traced when they are called, and compiled for their arguments."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

import torch
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.vmem import SUBLANES
from tilec.chips import chip_named
from tilec.frontend.config import Config
from tilec.frontend.elements import name_of
from tilec.frontend.environment import environment_key
from tilec.frontend.keys import argument_key, as_torch, tensors_in, with_rows
from tilec.frontend.trace import TraceError
from tilec.frontend.tracing import Traced, names_of, trace_function
from tilec.frontend.tuned import TunedConfig, default_for
from tilec.passes.choose_blocks import DEFAULT_BLOCK, default_blocks, named_axes
from tilec.passes.one_hot_segments import item_names
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.here import chip_here

if TYPE_CHECKING:
    from tilec.runtime.compiled import CompiledProgram
    from tilec.runtime.executable import Executable

P = ParamSpec("P")
R = TypeVar("R")


class Bound:
    """A kernel for arguments of certain shapes: its program, and what is made of it.

    `chip` is that of the TPU that jax has, v5e where it has none. `config` is the one that was `given`;
    without, the one that an analytic model thinks best for these shapes and the chip.
    """

    def __init__(self, traced: Traced, config: Config | None, chip: str | None = None):
        self.traced = traced
        self.given = config
        self._chip = chip
        if config is not None:
            self._choices(config, TileToPallas.chip)  # names of blocks are checked now

    @functools.cached_property
    def chip(self) -> str:
        return self._chip or chip_here()

    @functools.cached_property
    def config(self) -> Config:
        return default_for(self.traced, self.chip) if self.given is None else self.given

    @functools.cached_property
    def choices(self) -> TileToPallas:
        """The passes that make the kernel."""
        return self._choices(self.config, self.chip)

    def _choices(self, config: Config, chip: str) -> TileToPallas:
        traced, axes = self.traced, named_axes(self.traced.module)
        unused = [name for name in traced.tiles if name not in axes]
        chosen = config.choices(traced.tiles, traced.fixed, chip, item_names(traced.module), unused)
        usual, blocks = default_blocks(traced.module), dict(chosen.blocks)
        for name, (least, most) in traced.bounds.items():
            blocks.setdefault(name, min(max(usual.get(name, DEFAULT_BLOCK), least), most))
            if not least <= blocks[name] <= most and name not in traced.fixed:
                between = f"register_block_size has {least} to {most}"
                raise ValueError(f"a block size of {blocks[name]} for {name}; {between}")
        return replace(chosen, blocks={name: size for name, size in blocks.items() if name not in unused})

    def for_chip(self, chip: str) -> "Bound":
        """The kernel as it is made for another chip. Raises ValueError for an unknown one."""
        return self if chip_named(chip).name == self.chip else Bound(self.traced, self.given, chip)

    def mlir(self, after: str | None = None) -> str:
        """The program as text: as it was traced, or after the pass `after`, by its flag without dashes.

        Raises ValueError for a pass that is none of the pipeline, TileError for what a pass refuses.
        """
        return str(self.module(after))

    def module(self, after: str | None = None) -> ModuleOp:
        """The program, as `mlir` prints it."""
        module = self.traced.module.clone()
        if after is None:
            return module
        passes = self.choices.passes()
        names = [each.name for each in passes]
        if after not in names:
            raise ValueError(f"no pass {after}; the pipeline is: {', '.join(dict.fromkeys(names))}")
        last = len(names) - names[::-1].index(after)
        context = Context()
        for each in passes[:last]:
            each.apply(context, module)
        return module

    def pallas(self) -> str:
        """The emitted Pallas module as text."""
        return self.executable.text

    @functools.cached_property
    def executable(self) -> "Executable":
        """The kernel, ready to run. The first use imports jax."""
        from tilec.runtime.executable import Executable
        from tilec.runtime.signature import Parameter, Result, Signature

        traced = self.traced
        names = [name_of(dtype) for dtype in traced.results]
        fresh = len(names) - len(traced.mutated)
        results = [
            Result(name, traced.mutated[position - fresh] if position >= fresh else None)
            for position, name in enumerate(names)
        ]
        parameters = [
            Parameter(name, shape, name_of(dtype), traced.most if dtype is torch.int64 else None)
            for name, shape, dtype in traced.parameters
        ]
        signature = Signature(traced.name, tuple(parameters), tuple(results))
        return Executable(traced.module, signature, self.choices, modelled=self.given is None)

    @functools.cached_property
    def jax_fn(self) -> Callable[..., Any]:
        """The kernel as a pure function of jax arrays, in the order of the tensors among its arguments.

        It returns what the traced function does; of one that changes arguments, a tuple of that and of their
        new contents. It can be under `jax.jit`, `jax.vmap`, `jax.shard_map` and `jax.export`.
        """
        from tilec.runtime.torch_arrays import fitted, to_jax

        executable, traced = self.executable, self.traced
        fresh = len(traced.results) - len(traced.mutated)
        last = executable.signature.parameters[len(traced.parameters) - len(traced.captured) :]
        captured = [to_jax(fitted(*pair, "cpu")) for pair in zip(last, traced.captured, strict=True)]

        def run(*arrays: Any) -> Any:
            results = executable.jax_fn(*arrays, *captured)
            current = [*arrays, *captured]
            for position, content in zip(traced.mutated, results[fresh:], strict=True):
                current[position] = content
            returned = traced.returned(results[:fresh], current)
            return (returned, *results[fresh:]) if traced.mutated else returned

        run.__name__ = traced.name
        return run

    def run(self, tensors: Sequence[Any]) -> Any:
        """Call the kernel with the tensors among its arguments, torch's or jax'."""
        arguments = [*tensors, *self.traced.captured]
        if self.traced.captured and tensors and not isinstance(tensors[0], torch.Tensor):
            return self.jax_fn(*tensors)
        return self.traced.returned(self.executable(arguments), arguments)

    def captured_integers(self) -> dict[str, Any]:
        """The arrays of integers that the function captured, by the names that they have as arguments."""
        names = [name for name, _, _ in self.traced.parameters]
        pairs = zip(reversed(names), reversed(self.traced.captured), strict=False)  # they are the last ones
        return {name: value.numpy(force=True) for name, value in pairs if not value.is_floating_point()}

    def aot(self, chip: str, rows: int | None = None) -> "CompiledProgram":
        """Compile the kernel for a chip with the real TPU compiler. No device is needed.

        `.report()` of what is returned says what a call costs there.
        `rows` is what leading extents are that are any. Raises ValueError for an unknown chip, TileError for
        what a pass refuses and CompileRefused for what the compiler refuses.
        """
        return self.for_chip(chip).executable.aot(chip, rows, self.captured_integers())

    def mosaic(self, chip: str) -> str:
        """What Pallas makes of the kernels for a chip: modules of MLIR's Mosaic dialect, as text.

        Raises ValueError for an unknown chip, and TileError for what a pass refuses.
        """
        from tilec.runtime.mosaic import mosaic

        return mosaic(self.for_chip(chip).executable, chip)

    def __repr__(self) -> str:
        arguments = ", ".join(
            f"{name}: {name_of(dtype)}[{', '.join('?' if each is None else str(each) for each in shape)}]"
            for name, shape, dtype in self.traced.parameters
        )
        sizes = {**default_blocks(self.traced.module), **self.choices.blocks}
        blocks = ", ".join(f"{name}={sizes.get(name, DEFAULT_BLOCK)}" for name in self.traced.tiles)
        return f"<{self.traced.name}({arguments}), blocks {blocks or 'none'}, loop {self.choices.loop}>"


class Kernel(Generic[P, R]):
    """A function over tiles. Called, it is traced and compiled for its arguments, and run."""

    def __init__(
        self, fn: Callable[P, R], config: Config | TunedConfig | None = None, *, static_shapes: bool = True
    ):
        functools.update_wrapper(self, fn)
        self.static_shapes = static_shapes
        self.fn = fn
        if not isinstance(config, Config | TunedConfig | None):
            raise TypeError(f"config={config!r}; a Config or a TunedConfig is accepted")
        self.config = config
        self.__tilec_traced__ = fn
        self._signature = inspect.signature(fn)
        self._bound: dict[Any, list[Bound]] = {}

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> Bound:
        """The kernel for arguments like these, traced if it was not yet.

        Raises TypeError for arguments that the function does not take, TraceError at the user's line for what
        cannot be traced.
        """
        arguments = self._arguments(args, kwargs)
        return self._bind(arguments, tensors_in(arguments))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        arguments = self._arguments(args, kwargs)
        tensors = tensors_in(arguments)
        return self._bind(arguments, tensors).run(tensors)

    def _arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        found = self._signature.bind(*args, **kwargs)
        found.apply_defaults()
        return found.arguments

    def _bind(self, arguments: dict[str, Any], tensors: Sequence[Any]) -> Bound:
        shapes = [tuple(each.shape) for each in tensors]
        bound = self._bound_for(arguments, shapes, dynamic=not self.static_shapes)
        few = any(len(shape) > 1 and shape[0] < SUBLANES for shape in shapes)
        if not few or self.static_shapes or self.config is not None or bound.config.loop != "fori_loop":
            return bound
        # The model chose a loop that copies more rows at once than there are; nobody asked for that one.
        return self._bound_for(arguments, shapes, dynamic=False)

    def _bound_for(
        self, arguments: dict[str, Any], shapes: Sequence[tuple[int, ...]], *, dynamic: bool
    ) -> Bound:
        of_arguments = argument_key(arguments, dynamic)
        key = (dynamic, of_arguments, environment_key(self.fn), torch.get_float32_matmul_precision())
        known = self._bound.setdefault(key, [])
        if known and not dynamic:
            return known[0]
        bound = next((each for each in known if each.traced.assumptions(shapes)), None)
        if bound is None:
            bound = self._trace(arguments, dynamic=dynamic)
            known.append(bound)
            _print_asked(bound)
        return bound

    def _trace(self, arguments: dict[str, Any], *, dynamic: bool) -> Bound:
        given = {name: as_torch(value) for name, value in arguments.items()}
        try:
            traced = self._traced_for_none(given) or self._traced(given, dynamic=dynamic)
        except TraceError as error:
            if os.environ.get("TILEC_TRACEBACK"):
                raise
            # The place is in the message; how the tracer came there helps nobody but its authors.
            raise error.with_traceback(None) from None
        config = self.config.config(traced) if isinstance(self.config, TunedConfig) else self.config
        return Bound(traced, config)

    def _traced(self, given: dict[str, Any], *, dynamic: bool, may_be_empty: bool = False) -> Traced:
        rebuilt = inspect.BoundArguments(self._signature, given)  # pyright: ignore[reportArgumentType]
        return trace_function(
            self.fn,
            rebuilt.args,
            rebuilt.kwargs,
            names_of(given),
            dynamic=dynamic,
            may_be_empty=may_be_empty,
            tunables=self.config.tunables if isinstance(self.config, Config) else {},
        )

    def _traced_for_none(self, given: dict[str, Any]) -> Traced | None:
        """Where arrays have no rows, a program for any number of them, if that is right for none."""
        shapes = [tuple(each.shape) for each in tensors_in(given)]
        if not any(shape and shape[0] == 0 for shape in shapes):
            return None
        try:
            traced = self._traced(with_rows(given), dynamic=True, may_be_empty=True)
        except TraceError:
            return None
        pairs = zip(shapes, traced.parameters)  # captured tensors come last
        fits = all(
            want in (None, size) for shape, (_, wanted, _) in pairs for size, want in zip(shape, wanted)
        )
        return traced if fits and traced.assumptions(shapes) else None

    def __repr__(self) -> str:
        count = sum(map(len, self._bound.values()))
        return f"<tilec.kernel {self.fn.__qualname__}{self._signature}, {count} bound>"

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else functools.partial(self, owner)


def _print_asked(bound: Bound) -> None:
    """Print what `TILEC_PRINT` asks for: `mlir`, `pallas`, or both."""
    wanted = os.environ.get("TILEC_PRINT", "")
    for word in filter(None, (each.strip() for each in wanted.split(","))):
        if word not in ("mlir", "pallas"):
            raise ValueError(f"TILEC_PRINT={wanted}; mlir, pallas or both with a comma are accepted")
        print(bound.mlir() if word == "mlir" else bound.pallas())


@overload
def kernel(fn: Callable[P, R], /) -> Kernel[P, R]: ...
@overload
def kernel(
    *, config: Config | TunedConfig | None = None, static_shapes: bool = True
) -> Callable[[Callable[P, R]], Kernel[P, R]]: ...
def kernel(
    fn: Any = None, /, *, config: Config | TunedConfig | None = None, static_shapes: bool = True
) -> Any:
    """Make a function over tiles a kernel: `@tilec.kernel`, or `@tilec.kernel(config=…)`.

    It is traced for each shape of its arguments; with `static_shapes=False` once for any number of rows, the
    leading extents of its tensors: but for those of which it takes all at once or by which Python decides
    something. The other extents, and leading ones of 0 and 1, are always those of the arguments.

    Without a configuration, an analytic model chooses one for the shapes and the chip at hand, as
    `tilec.default_config` says it.
    """
    if fn is None:
        return lambda given: Kernel(given, config, static_shapes=static_shapes)
    return Kernel(fn, config, static_shapes=static_shapes)
