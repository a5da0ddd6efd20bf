"""What `digits` makes of positions names the same elements; compared over all lanes of small programs."""

from dataclasses import dataclass
from itertools import product
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st
from programs import named, parse

from tilec.analysis.affine import Linear, linear
from tilec.analysis.positions import Positions, positions
from tilec.analysis.ranges import Ranges
from tilec.analysis.unflatten import digits, strides_of


@dataclass(frozen=True)
class Flat:
    """Positions `sum(factor * index) + by * g + constant` in an array of `shape`, flattened.

    Axis i goes through `axes[i]`, `begin to end`; `g` is 0 to 3.
    """

    shape: tuple[int, int, int]
    axes: tuple[tuple[int, int], ...]
    factors: tuple[int, ...]
    by: int
    constant: int

    def text(self) -> str:
        names = [f"a{i}" for i in range(len(self.axes))]
        kind = f"tensor<{'x'.join('8' * len(names))}xi32, #tile.spans<{', '.join(names)}>>"
        loops = [f"%{n} = {b} to {e} by {n}:8" for n, (b, e) in zip(names, self.axes, strict=True)]
        lines = [f"%by = arith.constant {self.by} : index", "%scaled = arith.muli %by, %g : index"]
        lines += ["%shared = arith.index_cast %scaled : index to i32"]
        lines += [f"%sum = tile.broadcast %shared dims [] : {kind}"]
        last = "sum"
        for i, (name, factor) in enumerate(zip(names, self.factors, strict=True)):
            lines += [f"%i{i} = tile.indices %{name}", f"%w{i} = tile.broadcast %i{i} dims [{i}] : {kind}"]
            lines += [f"%f{i} = tile.splat {factor} : {kind}", f"%p{i} = arith.muli %w{i}, %f{i} : {kind}"]
            lines += [f"%s{i} = arith.addi %{last}, %p{i} : {kind}"]
            last = f"s{i}"
        lines += [
            f"%last = tile.splat {self.constant} : {kind}",
            f"%all = arith.addi %{last}, %last : {kind}",
        ]
        grid = ", ".join(["%g = 0 to 4", *loops])
        return "func.func @f() {\ntile.grid " + grid + " {\n" + "\n".join(lines) + "\n}\nreturn\n}"


def flats() -> st.SearchStrategy[Flat]:
    shape = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))
    axis = st.tuples(st.integers(0, 2), st.integers(0, 6)).map(lambda a: (a[0], a[0] + a[1]))
    factor = st.integers(0, 40)

    def near(shape: tuple[int, int, int]) -> st.SearchStrategy[Flat]:
        strides = st.sampled_from([shape[1] * shape[2], shape[2], 1, 1])
        factors = st.lists(strides | factor, min_size=1, max_size=3).map(tuple)
        return factors.flatmap(
            lambda fs: st.builds(
                Flat,
                st.just(shape),
                st.tuples(*[axis] * len(fs)),
                st.just(fs),
                strides | factor,
                st.integers(-8, 40),
            )
        )

    return shape.flatmap(near)


def value(form: Linear, leaf: object, number: int) -> int:
    assert set(form.factors) <= {leaf}
    return form.constant + sum(form.factors.values()) * number


@settings(max_examples=400, deadline=None)
@given(flat=flats())
def test_digits_name_the_same_elements(flat: Flat) -> None:
    module = parse(flat.text())
    form, g = positions(named(module, "all")), named(module, "g")
    assert isinstance(form, Positions)
    whole = prod(flat.shape)
    for strides in strides_of(form, whole, flat.shape):
        found = digits(form, whole, strides, Ranges())
        if isinstance(found, str):
            continue
        assert prod(digit.extent for digit in found) == whole
        for number, lanes in product(range(4), product(*(range(b, e) for b, e in flat.axes))):
            expected = (
                flat.by * number + flat.constant + sum(map(prod, zip(flat.factors, lanes, strict=True)))
            )
            total = 0
            for place, digit in enumerate(found):
                index = value(digit.scalar, g, number) + (0 if digit.dim is None else lanes[digit.dim])
                assert place == 0 or 0 <= index < digit.extent
                total = total * digit.extent + index
            assert total == expected


def test_what_is_known() -> None:
    """Rows and columns are found where columns stay in their row, whatever is added."""
    flat = Flat((4, 5, 6), ((0, 3), (0, 4)), (6, 1), 30, 8)
    module = parse(flat.text())
    form = positions(named(module, "all"))
    assert isinstance(form, Positions)
    found = digits(form, 120, (30, 6, 1), Ranges())
    assert not isinstance(found, str)
    assert [(digit.extent, digit.dim, digit.scalar.constant) for digit in found] == [
        (4, None, 0),
        (5, 0, 1),
        (6, 1, 2),
    ]
    assert found[0].scalar == linear(named(module, "g"))
    longer = Flat((4, 5, 6), ((0, 3), (0, 5)), (6, 1), 30, 8)
    form = positions(named(parse(longer.text()), "all"))
    assert isinstance(form, Positions)
    assert digits(form, 120, (30, 6, 1), Ranges()) == "they may run on into the next row of 6: from 2 to 6"
