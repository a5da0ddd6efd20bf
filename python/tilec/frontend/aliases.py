"""Which values of a tile are, in torch, the same elements: views, and one tensor under several names.

Values of the program are never changed. What the user's code changes in place is a new value from then on, of
the tensor it was done to; the others that share its elements have what torch would no longer have.
"""

import torch


class Aliases:
    """Groups of tensors that share elements, and those that were left behind."""

    def __init__(self) -> None:
        # By identity; a group keeps its tensors, so that no identity is used again.
        self._groups: dict[int, list[torch.Tensor]] = {}
        self._behind: set[int] = set()

    def share(self, first: torch.Tensor, second: torch.Tensor) -> None:
        """Take note that a change of one tensor in place changes the other."""
        one, other = (self._groups.get(id(each), [each]) for each in (first, second))
        if one is other or first is second:
            return
        one += other
        for each in one:
            self._groups[id(each)] = one

    def changed(self, tensor: torch.Tensor) -> None:
        """Leave those behind that share the elements of a tensor, which is changed in place."""
        self._behind.update(id(each) for each in self._groups.get(id(tensor), ()))
        self._behind.discard(id(tensor))

    def is_behind(self, tensor: torch.Tensor) -> bool:
        """Whether torch would see in a tensor what was done to another."""
        return id(tensor) in self._behind
