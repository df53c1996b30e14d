"""Proofs over the RFC 6962 tree: that a record is in a signed log, and that a later log continues an earlier one.

The first kind is checked by strangers, with the stand-alone verifier.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH = 32


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """Every complete subtree of a log, about 64 bytes a record, from which any proof can be told."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        self._levels = [bytearray().join(leaves)]
        while (count := len(self._levels[-1]) // HASH) > 1:
            below = self._levels[-1]
            pairs = (below[at : at + 2 * HASH] for at in range(0, (count // 2) * 2 * HASH, 2 * HASH))
            self._levels.append(bytearray().join(sha256(b"\x01" + pair).digest() for pair in pairs))

    @property
    def size(self) -> int:
        return len(self._levels[0]) // HASH

    def root(self, start: int, end: int) -> bytes:
        """Of the records from `start`, which a power of two not below their number divides, up to `end`."""
        count = end - start
        if count & (count - 1) == 0:
            height = count.bit_length() - 1
            at = (start >> height) * HASH
            return bytes(self._levels[height][at : at + HASH])
        middle = start + _split(count)
        return node(self.root(start, middle), self.root(middle, end))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """From record `index` to the root at `size`."""
        start, end, path = 0, size, list[bytes]()
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self.root(middle, end))
                end = middle
            else:
                path.append(self.root(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, size: int) -> list[bytes]:
        """That the root at `size` continues the one at `old`, which is from 1 to `size`."""
        start, end, path, is_whole = 0, size, list[bytes](), True
        while old < end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self.root(middle, end))
                end = middle
            else:
                path.append(self.root(start, middle))
                start, is_whole = middle, False
        return ([] if is_whole else [self.root(start, end)]) + path[::-1]


def _split(count: int) -> int:
    """The largest power of two below it."""
    return 1 << (count - 1).bit_length() - 1


def continues(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the log of `size` holds the one of `old` unchanged (RFC 9162, 2.1.4.2)."""
    if old == size:
        return not path and old_root == root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not 0 < old < size or not steps:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node(step, before), node(step, after)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            after = node(after, step)
        at, last = at >> 1, last >> 1
    return last == 0 and (before, after) == (old_root, root)
