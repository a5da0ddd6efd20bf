"""Which conditions of kernels are taken for questions whether elements are finite."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from jax.experimental import pallas as pl
from jax.experimental.pallas import tpu as pltpu

from tilec.runtime.finite import only_asks_whether_finite


def asks(body: Callable[..., None]) -> bool:
    """What is found of a kernel on an integer in scalar memory, 8 x 128 floats and as many results."""
    call = functools.partial(
        pl.pallas_call,
        out_shape=jax.ShapeDtypeStruct((8, 128), jnp.float32),
        in_specs=[pl.BlockSpec(memory_space=pltpu.SMEM), pl.BlockSpec()],
        scratch_shapes=[pltpu.SMEM((1,), jnp.int32), pltpu.VMEM((8, 128), jnp.float32)],
    )
    with jax.enable_x64(False):
        traced: Any = jax.make_jaxpr(call(body))(jnp.zeros(4, jnp.int32), jnp.zeros((8, 128), jnp.float32))
    return only_asks_whether_finite(traced.eqns[0].params["jaxpr"])


def not_finite(x: Any, kept: Any = None) -> Any:
    """1 if an element is infinite or NaN, among those that are kept, else 0."""
    found = jnp.where(x - x == 0.0, jnp.zeros(x.shape, jnp.int32), jnp.full(x.shape, 1, jnp.int32))
    return jnp.max(found if kept is None else jnp.where(kept, found, -(2**31)))


def plain(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    value = x[...]
    kept = lax.broadcasted_iota(jnp.int32, (8, 128), 0) < limit[0]
    out[...] = lax.cond(not_finite(value, kept) != 0, lambda: value + 1, lambda: value)


def of_a_sum(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    kept = lax.broadcasted_iota(jnp.int32, (8, 128), 0) < limit[0]
    found = jnp.sum(jnp.where(kept, x[...] * 0.0, 0.0))
    out[...] = lax.cond(found != 0.0, lambda: x[...], lambda: -x[...])


def in_a_loop(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    def step(index: Any, value: Any) -> Any:
        bad = not_finite(value) != 0
        return lax.cond(bad & (index > limit[1]), lambda: value + 1, lambda: value)

    out[...] = lax.fori_loop(0, limit[0], step, x[...])


def of_scalars(limit: Any, x: Any, out: Any, count: Any, *scratch: Any) -> None:
    count[0] = jnp.where(limit[0] > 7, 9, limit[1]) + jnp.where(limit[0] > 5, 2, 1)
    out[...] = lax.cond(count[0] > 3, lambda: x[...], lambda: -x[...])


def in_a_region(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    first = limit[0]

    def body(more: Any) -> None:
        more[...] = lax.cond(first > 3, lambda: x[...], lambda: -x[...])
        out[...] = more[...]

    pl.run_scoped(body, pltpu.VMEM((8, 128), jnp.float32))


def of_an_element(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    out[...] = lax.cond(jnp.max(x[...]) > 0, lambda: x[...], lambda: -x[...])


def of_another_difference(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    found = jnp.where(x[...] - 1.0 == 0.0, 0, 1)
    out[...] = lax.cond(jnp.max(found) != 0, lambda: x[...], lambda: -x[...])


def of_a_sum_of_others(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    found = jnp.sum(jnp.where(limit[0] > 3, x[...] * 0.0, 1.0))
    out[...] = lax.cond(found != 0.0, lambda: x[...], lambda: -x[...])


def both(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    plain(limit, x, out)
    of_an_element(limit, x, out)


def as_often_as_an_element_says(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    out[...] = lax.while_loop(lambda value: jnp.max(value) < 5, lambda value: value + 1, x[...])


def through_scalar_memory(limit: Any, x: Any, out: Any, count: Any, *scratch: Any) -> None:
    count[0] = jnp.max(x[...]).astype(jnp.int32)
    out[...] = lax.cond(count[0] > 3, lambda: x[...], lambda: -x[...])


def carried(limit: Any, x: Any, out: Any, *scratch: Any) -> None:
    def step(index: Any, most: Any) -> Any:
        return jnp.maximum(most, jnp.max(x[...]).astype(jnp.int32))

    most = lax.fori_loop(0, limit[0], step, jnp.int32(0))
    out[...] = lax.cond(most != 0, lambda: x[...], lambda: -x[...])


@pytest.mark.parametrize("body", [plain, of_a_sum, in_a_loop, of_scalars, in_a_region])
def test_is_found(body: Callable[..., None]) -> None:
    assert asks(body)


@pytest.mark.parametrize(
    "body",
    [
        of_an_element,
        of_another_difference,
        of_a_sum_of_others,
        both,
        as_often_as_an_element_says,
        through_scalar_memory,
        carried,
    ],
)
def test_is_not_taken_for_it(body: Callable[..., None]) -> None:
    assert not asks(body)
