"""Ascending keys of one resource over all blocks, without a tuple for each object."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

from fleettui.demo.world.shapes import Entry, Part, ResourceKey, fill_name
from fleettui.demo.world.templates import Values


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a shape at its place: one namespace of one group."""

    namespace: str
    prefix: str
    """All names of the block begin with it; blocks of a namespace do not interleave."""
    part: Part
    owner: int
    """Number of the group whose values fill it."""


def blocks_by_resource(blocks: Sequence[Block]) -> dict[ResourceKey, array[int]]:
    """Numbers of the blocks that hold objects of each resource, ascending."""
    found: dict[ResourceKey, array[int]] = {}
    for number, block in enumerate(blocks):
        for key in block.part.entries:
            if key not in found:
                found[key] = array("I")
            found[key].append(number)
    return found


class Filler(Protocol):
    """Who knows the values of a block."""

    def values_of(self, block: Block) -> Values:
        """Values that fill the block's templates."""
        ...


class Keys(Sequence[tuple[str, str]]):
    """(namespace, name) of every object of a resource, computed when asked for."""

    def __init__(
        self,
        world: Filler,
        resource: ResourceKey,
        blocks: Sequence[Block],
        numbers: Iterable[int],
    ) -> None:
        """`numbers` are those of the blocks that hold the resource, ascending."""
        self._world = world
        self._resource = resource
        self._blocks = blocks
        self._numbers = array("I", numbers)
        self._ends = array("I")
        total = 0
        for number in self._numbers:
            total += len(blocks[number].part.entries[resource])
            self._ends.append(total)
        self._total = total

    def __len__(self) -> int:
        return self._total

    def locate(self, index: int) -> tuple[Block, Entry]:
        """Block and entry of the object at an index.

        Raises:
            IndexError: there is no such object.
        """
        if not 0 <= index < self._total:
            raise IndexError(index)
        run = bisect_right(self._ends, index)
        block = self._blocks[self._numbers[run]]
        entries = block.part.entries[self._resource]
        return block, entries[index - self._ends[run]]

    def runs(self, low: int, high: int) -> Iterator[tuple[Block, Sequence[Entry]]]:
        """The blocks of a range of indexes, each with its entries of that range."""
        run = bisect_right(self._ends, low)
        while low < min(high, self._total):
            block, end = self._blocks[self._numbers[run]], self._ends[run]
            entries = block.part.entries[self._resource]
            first = end - len(entries)
            yield block, entries[low - first : high - first]
            low, run = end, run + 1

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._total))]
        if index < 0:
            index += self._total
        block, entry = self.locate(index)
        return block.namespace, fill_name(entry, self._world.values_of(block))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for number in self._numbers:
            block = self._blocks[number]
            values = self._world.values_of(block)
            for entry in block.part.entries[self._resource]:
                yield block.namespace, fill_name(entry, values)
