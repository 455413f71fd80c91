"""What words are looked for in, for every home tree, packed so that a key costs few steps.

Knows that texts of several trees lie in one string, which one search rules out as a
whole; refuses to know what a text holds (``terms``) and when it is made (``search``).
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from fleettui.index.rows import Row

PACKED: Final = 64
"""Trees whose texts share one string."""
LOOSE: Final = 256
"""Texts that stand alone before some are packed: those of trees that keep changing."""

TextTest = Callable[[str], bool]


class Block:
    """The texts of several trees, one after the other."""

    __slots__ = ("living", "roots", "starts", "text")

    def __init__(self, texts: dict[Row, str]) -> None:
        """Pack these."""
        self.text = "\n".join(texts.values())
        self.roots: list[Row | None] = list(texts)
        self.starts = array("I")
        self.living = len(texts)
        at = 0
        for text in texts.values():
            self.starts.append(at)
            at += len(text) + 1
        self.starts.append(at)

    def part(self, place: int) -> str:
        """Return the text of one tree."""
        return self.text[self.starts[place] : self.starts[place + 1] - 1]

    def parts(self) -> Iterator[tuple[Row, str]]:
        """Yield the trees that are still there, with their texts."""
        for place, root in enumerate(self.roots):
            if root is not None:
                yield root, self.part(place)

    def holding(self, needle: str) -> Iterator[Row]:
        """Yield trees whose text holds the needle; costs what is found, not what is there."""
        text, starts, roots = self.text, self.starts, self.roots
        at = text.find(needle)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            end = starts[place + 1] - 1
            root = roots[place]
            if at + len(needle) > end:  # only together with the next one's text
                at = text.find(needle, at + 1)
                continue
            if root is not None:
                yield root
            at = text.find(needle, end + 1)


class Texts:
    """Texts by the root of their tree."""

    def __init__(self, *, packed: int = PACKED, loose: int = LOOSE) -> None:
        """Start without any.

        Args:
            packed: trees whose texts share one string.
            loose: texts that stand alone before some are packed.
        """
        self._packed_size = packed
        self._loose_limit = loose
        self._loose: dict[Row, str] = {}
        self._block_of: dict[Row, Block] = {}
        self._blocks: dict[Block, None] = {}
        self._narrowed: tuple[str, list[Block]] | None = None
        """The needle looked for last, and the blocks that hold it, while blocks stay as they are:
        whoever types goes on from there."""

    def __len__(self) -> int:
        """Return how many trees have a text."""
        return len(self._loose) + len(self._block_of)

    def __contains__(self, root: object) -> bool:
        """Tell whether the tree has a text."""
        return root in self._loose or root in self._block_of

    def clear(self) -> None:
        """Forget all."""
        self._loose.clear()
        self._block_of.clear()
        self._blocks.clear()
        self._narrowed = None

    def get(self, root: Row) -> str | None:
        """Return the text of a tree, None without one."""
        text = self._loose.get(root)
        if text is None and (block := self._block_of.get(root)) is not None:
            text = block.part(block.roots.index(root))
        return text

    def put(self, root: Row, text: str) -> None:
        """Keep this text for the tree, instead of any other."""
        self.drop(root)
        self._loose[root] = text
        if len(self._loose) > self._loose_limit:
            self._pack()

    def _pack(self) -> None:
        oldest = list(islice(self._loose, self._packed_size))
        block = Block({root: self._loose.pop(root) for root in oldest})
        self._blocks[block] = None
        self._narrowed = None
        self._block_of.update(dict.fromkeys(oldest, block))

    def drop(self, root: Row) -> None:
        """Forget the text of a tree; blocks that are half empty are given up."""
        if self._loose.pop(root, None) is not None:
            return
        block = self._block_of.pop(root, None)
        if block is None:
            return
        block.roots[block.roots.index(root)] = None
        block.living -= 1
        if block.living <= self._packed_size // 2:
            del self._blocks[block]
            self._narrowed = None
            for other, text in block.parts():
                del self._block_of[other]
                self._loose[other] = text

    def parts(self) -> Iterator[tuple[Row, str]]:
        """Yield every tree with its text."""
        yield from self._loose.items()
        for block in self._blocks:
            yield from block.parts()

    def where(self, is_possible: TextTest | None) -> Iterator[tuple[Row, str]]:
        """Yield trees with their texts, without those that a test of many texts rules out.

        Texts may be put and dropped meanwhile.

        Args:
            is_possible: true for every text that contains one it is true for; None rules
                nothing out.
        """
        for root, text in list(self._loose.items()):
            if is_possible is None or is_possible(text):
                yield root, text
        for block in list(self._blocks):
            if is_possible is None or is_possible(block.text):
                yield from block.parts()

    def holding(self, needle: str) -> Iterator[Row]:
        """Yield trees whose text holds the needle; texts may be put and dropped meanwhile."""
        for root, text in list(self._loose.items()):
            if needle in text:
                yield root
        for block in self._blocks_with(needle):
            yield from block.holding(needle)

    def _blocks_with(self, needle: str) -> list[Block]:
        blocks: Iterable[Block] = self._blocks
        if self._narrowed is not None and self._narrowed[0] in needle:
            blocks = self._narrowed[1]
        found = [block for block in blocks if needle in block.text]
        self._narrowed = (needle, found)
        return found
