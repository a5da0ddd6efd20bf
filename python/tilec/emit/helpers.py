"""Functions that an emitted module carries along if it calls them, as text."""

ARRAY_ARGUMENT = '''\
def array_argument(name, value, shape, dtype):
    """`value` as an array of `shape` (None: any extent) and `dtype`. 64-bit integers become 32-bit ones."""
    wanted = f"{dtype}[{', '.join('?' if extent is None else str(extent) for extent in shape)}]"
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise TypeError(f"{name} is a {type(value).__name__}; an array {wanted} is needed")
    given = f"{value.dtype}[{', '.join(map(str, value.shape))}]"
    if str(value.dtype) == "int64" and dtype == "int32":
        if not isinstance(value, jax.core.Tracer) and value.size:
            low, high = int(np.min(value)), int(np.max(value))
            if low < -(2**31) or high >= 2**31:
                raise ValueError(f"{name} holds {low} to {high}; it must fit 31 bits and a sign")
        value = value.astype(np.int32)
    if str(value.dtype) != dtype:
        raise TypeError(f"{name} is {given}; {wanted} is needed")
    extents = zip(value.shape, shape)
    if len(value.shape) != len(shape) or any(want not in (None, got) for got, want in extents):
        raise ValueError(f"{name} is {given}; {wanted} is needed")
    return value
'''

CHECK_SEGMENTS = '''\
def check_segments(begins, ends, limit):
    """Raises ValueError where segments are out of order, overlap or pass `limit`, if they are not traced."""
    if isinstance(begins, jax.core.Tracer) or isinstance(ends, jax.core.Tracer):
        return
    begins = np.asarray(begins)
    begins, ends = (begins[:-1], begins[1:]) if ends is None else (begins, np.asarray(ends))
    least = np.concatenate([[0], ends[:-1]])
    wrong = np.flatnonzero((begins < least) | (ends < begins) | (ends > limit))
    if wrong.size:
        group = wrong[0]
        raise ValueError(
            f"segment {group} is {begins[group]} to {ends[group]}; it must begin at {least[group]} or later, "
            f"not end before it begins, and end at {limit} or earlier"
        )
'''

CHECK_LENGTHS = '''\
def check_lengths(begins, ends, limit):
    """Raises ValueError where a segment is longer than `limit`. Traced ones are not checked."""
    if isinstance(begins, jax.core.Tracer) or isinstance(ends, jax.core.Tracer):
        return
    lengths = np.diff(np.asarray(begins)) if ends is None else np.asarray(ends) - np.asarray(begins)
    for group in np.flatnonzero(lengths > limit):
        raise ValueError(f"segment {group} has length {lengths[group]}; {limit} is promised or has room")
'''

CHECK_ELEMENTS = '''\
def check_elements(array, limit):
    """Raises ValueError where an element is larger than `limit`. Traced ones are not checked."""
    if isinstance(array, jax.core.Tracer):
        return
    array = np.asarray(array)
    for place in np.argwhere(array > limit):
        raise ValueError(f"element {place.tolist()} is {array[tuple(place)]}; {limit} is promised at most")
'''

CHECK_SUM = '''\
def check_sum(*sums):
    """Raises ValueError where elements exceed a limit in each of `sums`. Traced ones are not checked."""
    if any(isinstance(array, jax.core.Tracer) for _, elements, _ in sums for array, _ in elements):
        return
    wrong = []
    for names, elements, limit in sums:
        parts = [int(np.asarray(array)[place]) for array, place in elements]
        if sum(parts) <= limit:
            return
        shown = " + ".join(map(str, parts))
        wrong.append(f"{names}, {shown}, end at {sum(parts)}; they must end at {limit} or earlier")
    raise ValueError(", or ".join(wrong))
'''

WHOLE_BLOCKS = '''\
def whole_blocks(array, block, interpret):
    """`array`, padded to whole blocks for interpret mode, which cannot alias a partial one. A TPU can."""
    if interpret is None:
        return array
    return jnp.pad(array, [(0, -extent % size) for extent, size in zip(array.shape, block)])
'''

HELPERS = {
    "array_argument": ARRAY_ARGUMENT,
    "check_segments": CHECK_SEGMENTS,
    "check_lengths": CHECK_LENGTHS,
    "check_elements": CHECK_ELEMENTS,
    "check_sum": CHECK_SUM,
    "whole_blocks": WHOLE_BLOCKS,
}
"""By name."""

SIMULATED_CHIP = """\
    # An emit_pipeline asks what chip it is for.
    device = jax.sharding.AbstractDevice(device_kind="TPU v5 lite", num_cores=1, platform="tpu")
    mesh = jax.sharding.AbstractMesh((1,), ("core",), abstract_device=device)
"""
"""The mesh under which the example run of an emitted module traces."""
