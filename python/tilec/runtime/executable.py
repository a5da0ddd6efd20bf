"""A traced program with choices, ready to be called with torch tensors or jax arrays."""

import dataclasses
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
from xdsl.dialects.builtin import ModuleOp

from tilec.analysis.cost.estimate import Estimate
from tilec.dialects.tile.loops import tile_axes
from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.aot import CompileRefused, compile_for
from tilec.runtime.arrays import accept
from tilec.runtime.compiled import CompiledProgram
from tilec.runtime.estimate import estimate
from tilec.runtime.launch import Form, Launch, complete, launcher
from tilec.runtime.lowered import Lowered, lower
from tilec.runtime.shapes import ROWS, result_shapes, without_rows
from tilec.runtime.signature import NARROWED, Signature, check_signature, signature_of

Shapes = tuple[tuple[int, ...], ...]


class Executable:
    """One traced program for one set of choices.

    It is compiled when it is first needed: TileError, for what a pass refuses, comes then.
    """

    def __init__(
        self,
        module: ModuleOp,
        signature: Signature | None = None,
        choices: TileToPallas | None = None,
        modelled: bool = False,
    ) -> None:
        """Takes a verified program with one function, which `signature` describes, or else its own types do.
        Where the analytic model made the choices, they are `modelled`, which reports say.

        Raises TileError if the signature does not describe it.
        """
        self.module = module
        self.signature = signature or signature_of(module)
        self.choices = choices or TileToPallas()
        self.modelled = modelled
        check_signature(module, self.signature)
        self._launches: dict[Shapes, tuple[Callable[..., None], Launch]] = {}

    @functools.cached_property
    def _lowered(self) -> Lowered:
        return lower(self.module, self.choices)

    @property
    def text(self) -> str:
        """The emitted Pallas module."""
        return self._lowered.text

    def jax_fn(self, *arrays: Any) -> tuple[jax.Array, ...]:
        """The program as a pure function of jax or numpy arrays, which returns all results as jax arrays.

        Results that are new contents of arguments are among them; the arguments stay. It can be under
        `jax.jit`, `jax.vmap`, `jax.export` and `jax.shard_map`, the latter with `check_vma=False`, as Pallas
        needs it. Without x64, jax has 32-bit integers for 64-bit ones. What the values of arguments must be,
        such as offsets in order, is checked where they are known: not under a transformation. Off a TPU,
        kernels are interpreted, and only `__call__` lets those of several threads take turns.

        Raises TypeError and ValueError for arguments that do not fit the signature.
        """
        launch, accepted = self._accept(arrays)
        return launch(*accepted)

    def __call__(self, args: Sequence[Any]) -> list[Any]:
        """Runs the program on torch tensors, or on jax and numpy arrays.

        Tensors are all on the CPU, from where they are brought to a TPU if there is one, or all on a TPU.

        Results are tensors, or jax arrays. They are computed when this returns, and share no memory with
        arguments. What a result is the new content of is written to that tensor, which is then the result.

        Raises TypeError and ValueError for arguments that do not fit the signature, or that overlap those
        that are changed; TypeError for jax arrays where an argument is changed, as they never do.
        """
        torch = sys.modules.get("torch")  # without it there are no tensors
        if torch is not None and any(isinstance(arg, torch.Tensor) for arg in args):
            from tilec.runtime.torch_arrays import call

            self._count(args)
            return call(self, args)  # pyright: ignore[reportCallIssue] # torch hides the type
        if self.signature.mutated:
            name = self.signature.parameters[min(self.signature.mutated)].name
            raise TypeError(f"{self.signature.name} changes {name}, and jax arrays never change; use jax_fn")
        return list(complete(*self._accept(args)))

    def aot(
        self, chip: str, rows: int | None = None, held: Mapping[str, Any] | None = None
    ) -> CompiledProgram:
        """Compiles the program for a chip with the real TPU compiler; each extent `None` is `rows`.

        `held` has by name what integer arguments always hold, for reports.

        Raises ValueError where `rows` is needed and not given, TileError for what a pass refuses, such as a
        chip that it does not know, and CompileRefused for what the compiler refuses.
        """
        structs = self.structs(rows)
        try:
            compiled = compile_for(self.for_chip(chip).function, structs, chip)
        except CompileRefused as refused:
            from tilec.report.make import with_what_would_fit  # which knows executables

            raise with_what_would_fit(refused, self.module, self.choices, chip) from refused
        shapes = tuple(tuple(each.shape) for each in structs)
        return CompiledProgram(**vars(compiled), executable=self, shapes=shapes, held=held or {})

    def structs(self, rows: int | None = None) -> list[jax.ShapeDtypeStruct]:
        """The shapes and dtypes that the kernels take; each extent `None` is `rows`.

        Raises ValueError where `rows` is needed and not given.
        """
        structs: list[jax.ShapeDtypeStruct] = []
        for parameter in signature_of(self.module).parameters:
            shape = [rows if size is None else size for size in parameter.shape]
            if None in shape:
                raise ValueError(f"{parameter.name} has any number of rows; say for how many to compile")
            dtype = NARROWED.get(parameter.dtype, parameter.dtype)
            structs.append(jax.ShapeDtypeStruct(shape, dtype))
        return structs

    def estimate(self, chip: str, arguments: Sequence[Any]) -> Estimate:
        """What a call with `arguments` takes on a chip, as the schedule of the real TPU compiler says.

        Arguments are arrays, or `jax.ShapeDtypeStruct`s where only shapes matter; integers have 32 bits.
        Raises as `aot` does; see `tilec.runtime.estimate` for what is exact and what is not.
        """
        return estimate(self.for_chip(chip).text, self.signature.name, arguments, chip)

    def for_chip(self, chip: str) -> Lowered:
        """The emitted module with the same choices for a chip."""
        choices = dataclasses.replace(self.choices, chip=chip)
        return self._lowered if choices == self.choices else lower(self.module, choices)

    def _accept(self, arrays: Sequence[Any]) -> tuple[Launch, list[Any]]:
        """The kernels for jax and numpy arrays, and these as the kernels take them, checked."""
        self._count(arrays)
        accepted = [accept(*pair) for pair in zip(self.signature.parameters, arrays, strict=True)]
        check, launch = self.prepared(tuple(array.shape for array in accepted))
        check(*accepted)
        return launch, accepted

    def _count(self, args: Sequence[Any]) -> None:
        parameters = self.signature.parameters
        if len(args) != len(parameters):
            names = ", ".join(parameter.name for parameter in parameters)
            raise TypeError(
                f"{self.signature.name} takes {len(parameters)} arrays, {names}; {len(args)} given"
            )

    def prepared(self, shapes: Shapes) -> tuple[Callable[..., None], Launch]:
        """The checks and the kernels for arguments of `shapes`, those that callers have.

        Both take arrays that fit the signature, 64-bit integers narrowed. What they return is kept.
        """
        if shapes not in self._launches:
            self._launches[shapes] = self._prepare(shapes)
        return self._launches[shapes]

    def _choices_for(self, changed: ModuleOp) -> TileToPallas:
        """The choices but for sizes of axes that are gone."""
        blocks = {name: size for name, size in self.choices.blocks.items() if name in tile_axes(changed)}
        return dataclasses.replace(self.choices, blocks=blocks)

    def _prepare(self, shapes: Shapes) -> tuple[Callable[..., None], Launch]:
        own = [shape or (1,) for shape in shapes]
        made = result_shapes(self.module, own)
        for position, shape in enumerate(made):
            if shape[0] < 0:
                raise ValueError(f"{self.signature.name}: result {position} would have {shape[0]} rows")
        changed = without_rows(self.module, own)
        lowered = self._lowered if changed is None else lower(changed, self._choices_for(changed))
        arguments = [
            Form(seen, tuple(n or ROWS for n in shape), parameter.dtype)
            for seen, shape, parameter in zip(shapes, own, self.signature.parameters, strict=True)
        ]
        results = [
            Form(shape if result.argument is None else shapes[result.argument], shape, result.dtype)
            for shape, result in zip(made, self.signature.results, strict=True)
        ]
        return lowered.check, launcher(lowered.function, arguments, results)
