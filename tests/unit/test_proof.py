from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.checkpoint import Frontier
from bot.domain.proof import Tree, continues
from bot.verify_audit import root_by

MOST = 70


def leaves(count: int) -> list[bytes]:
    return [sha256(str(number).encode()).digest() for number in range(count)]


def root_of(count: int) -> bytes:
    tree = Frontier()
    for leaf in leaves(count):
        tree.append(leaf)
    return tree.root()


TREE = Tree(leaves(MOST))
ROOTS = [root_of(count) for count in range(MOST + 1)]


def included_in(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """As strangers check it."""
    try:
        return root_by(leaf, index, size, path)
    except ValueError:
        return None


def test_the_tree_has_the_root_that_checkpoints_sign_at_every_size() -> None:
    assert [TREE.root(0, size) for size in range(1, MOST + 1)] == ROOTS[1:]
    assert TREE.size == MOST


def test_every_record_has_a_path_to_the_root_of_every_later_size() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            path = TREE.inclusion(index, size)
            assert included_in(leaves(index + 1)[-1], index, size, path) == ROOTS[size]
            assert len(path) <= (size - 1).bit_length()


def test_every_size_is_shown_to_continue_every_earlier_one() -> None:
    for size in range(1, MOST + 1):
        for old in range(1, size + 1):
            assert continues(old, ROOTS[old], size, ROOTS[size], TREE.consistency(old, size))


sizes = st.integers(1, MOST)


@given(sizes, sizes, sizes, sizes, st.data())
def test_no_other_path_place_or_root_is_believed(
    one: int, other: int, third: int, fourth: int, data: st.DataObject
) -> None:
    old, size = sorted((one, other))
    path = TREE.consistency(old, size)
    harmed = data.draw(st.sampled_from(["drop", "add", "change", "swap", "move"]))
    if harmed == "move":
        assert (
            (third, fourth) == (old, size)
            or not continues(third, ROOTS[third], fourth, ROOTS[fourth], path)
            or (TREE.consistency(third, fourth) == path and third <= fourth)
        )
        return
    changed = list(path)
    if harmed == "drop" and changed:
        changed.pop(data.draw(st.integers(0, len(changed) - 1)))
    elif harmed == "add":
        changed.insert(data.draw(st.integers(0, len(changed))), data.draw(st.sampled_from([*path, ROOTS[0]])))
    elif harmed == "change" and changed:
        changed[data.draw(st.integers(0, len(changed) - 1))] = ROOTS[0]
    else:
        changed.reverse()
    assert changed == path or not continues(old, ROOTS[old], size, ROOTS[size], changed)
    assert old == size or not continues(old, ROOTS[0], size, ROOTS[size], path)
    assert old == size or not continues(old, ROOTS[old], size, ROOTS[0], path)


@given(sizes, sizes, st.data())
def test_a_record_is_nowhere_but_in_its_place(one: int, other: int, data: st.DataObject) -> None:
    index, size = min(one, other) - 1, max(one, other)
    path, leaf = TREE.inclusion(index, size), leaves(index + 1)[-1]
    elsewhere = data.draw(st.integers(-2, MOST))
    assert elsewhere == index or included_in(leaf, elsewhere, size, path) != ROOTS[size]
    assert included_in(ROOTS[0], index, size, path) != ROOTS[size]
    assert included_in(leaf, index, size, [*path, ROOTS[0]]) != ROOTS[size]
    assert not path or included_in(leaf, index, size, path[:-1]) != ROOTS[size]
