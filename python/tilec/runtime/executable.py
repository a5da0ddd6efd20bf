"""A traced program with choices, ready to be called with torch tensors or jax arrays."""

import dataclasses
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jax
from xdsl.dialects.builtin import ModuleOp

from tilec.passes.tile_to_pallas import TileToPallas
from tilec.runtime.aot import Compiled, compile_for
from tilec.runtime.arrays import accept
from tilec.runtime.launch import Form, finished, launcher
from tilec.runtime.lowered import Lowered, lower
from tilec.runtime.shapes import ROWS, result_shapes, without_rows
from tilec.runtime.signature import NARROWED, Signature, check_signature, signature_of

Shapes = tuple[tuple[int, ...], ...]
Launch = Callable[..., tuple[jax.Array, ...]]


class Executable:
    """One traced program for one set of choices.

    It is compiled when it is first needed: TileError, for what a pass refuses, comes then.
    """

    def __init__(
        self, module: ModuleOp, signature: Signature | None = None, choices: TileToPallas | None = None
    ) -> None:
        """Takes a verified program with one function, which `signature` describes, or else its own types do.

        Raises TileError if the signature does not describe it.
        """
        self.module = module
        self.signature = signature or signature_of(module)
        self.choices = choices or TileToPallas()
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
        needs it. Without x64, jax has 32-bit integers for
        64-bit ones. What the values of arguments must be, such as offsets in order, is checked where they are
        known: not under a transformation.

        Raises TypeError and ValueError for arguments that do not fit the signature.
        """
        self._count(arrays)
        accepted = [accept(*pair) for pair in zip(self.signature.parameters, arrays, strict=True)]
        return self._launch(accepted)

    def __call__(self, args: Sequence[Any]) -> list[Any]:
        """Runs the program on torch CPU tensors, or on jax and numpy arrays.

        Results are tensors, or jax arrays. They are computed when this returns, and share no memory with
        arguments. What a result is the new content of is written to that tensor, which is then the result.

        Raises TypeError and ValueError for arguments that do not fit the signature, or that overlap those
        that are changed; TypeError for jax arrays where an argument is changed, as they never do.
        """
        self._count(args)
        torch = sys.modules.get("torch")  # without it there are no tensors
        if torch is not None and any(isinstance(arg, torch.Tensor) for arg in args):
            return self._call_torch(args)
        if self.signature.mutated:
            name = self.signature.parameters[min(self.signature.mutated)].name
            raise TypeError(f"{self.signature.name} changes {name}, and jax arrays never change; use jax_fn")
        return list(finished(self.jax_fn(*args)))

    def aot(self, chip: str, rows: int | None = None) -> Compiled:
        """Compiles the program for a chip with the real TPU compiler; each extent `None` is `rows`.

        Raises ValueError for an unknown chip or where `rows` is needed and not given, TileError for what a
        pass refuses and CompileRefused for what the compiler refuses.
        """
        structs: list[jax.ShapeDtypeStruct] = []
        for parameter in signature_of(self.module).parameters:
            shape = [rows if size is None else size for size in parameter.shape]
            if None in shape:
                raise ValueError(f"{parameter.name} has any number of rows; say for how many to compile")
            dtype = NARROWED.get(parameter.dtype, parameter.dtype)
            structs.append(jax.ShapeDtypeStruct(shape, dtype))
        choices = dataclasses.replace(self.choices, chip=chip)
        lowered = self._lowered if choices == self.choices else lower(self.module, choices)
        return compile_for(lowered.function, structs, chip)

    def _count(self, args: Sequence[Any]) -> None:
        parameters = self.signature.parameters
        if len(args) != len(parameters):
            names = ", ".join(parameter.name for parameter in parameters)
            raise TypeError(
                f"{self.signature.name} takes {len(parameters)} arrays, {names}; {len(args)} given"
            )

    def _launch(self, arrays: Sequence[Any]) -> tuple[jax.Array, ...]:
        """All results of the program on arrays that fit the signature, 64-bit integers narrowed."""
        shapes = tuple(array.shape for array in arrays)
        if shapes not in self._launches:
            self._launches[shapes] = self._prepare(shapes)
        check, launch = self._launches[shapes]
        check(*arrays)
        return launch(*arrays)

    def _prepare(self, shapes: Shapes) -> tuple[Callable[..., None], Launch]:
        """The checks and the kernels for arguments of `shapes`, those that callers have."""
        own = [shape or (1,) for shape in shapes]
        changed = without_rows(self.module, own)
        lowered = self._lowered if changed is None else lower(changed, self.choices)
        arguments = [
            Form(seen, tuple(n or ROWS for n in shape), parameter.dtype)
            for seen, shape, parameter in zip(shapes, own, self.signature.parameters, strict=True)
        ]
        results = [
            Form(shape if result.argument is None else shapes[result.argument], shape, result.dtype)
            for shape, result in zip(result_shapes(self.module, own), self.signature.results, strict=True)
        ]
        return lowered.check, launcher(lowered.function, arguments, results)

    def _call_torch(self, tensors: Sequence[Any]) -> list[Any]:
        from tilec.runtime import torch_arrays

        parameters, mutated = self.signature.parameters, self.signature.mutated
        arrays = [torch_arrays.to_jax(*pair) for pair in zip(parameters, tensors, strict=True)]
        if mutated:
            torch_arrays.check_mutated(parameters, tensors, mutated)
        on_chip = jax.default_backend() == "tpu"
        if on_chip:
            arrays = jax.device_put(arrays, jax.local_devices()[0])
        outputs = finished(self._launch(arrays))
        if on_chip:
            outputs = jax.device_put(outputs, jax.local_devices(backend="cpu")[0])
        return torch_arrays.hand_back(self.signature.results, outputs, tensors)
