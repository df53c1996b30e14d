"""A small round of the attacks on the record; `make attack` plays the whole of it."""

from functools import cache
from pathlib import Path

import pytest

from bot import verify_audit
from tests import attacks


@pytest.mark.slow
def test_a_round_of_attacks_finds_all_that_can_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_audit, "is_signature", cache(verify_audit.is_signature))
    sizes = attacks.Sizes(entries=200, flip_every=11, edits=200, stolen=30, honest=5)
    found = attacks.attack(tmp_path, sizes)
    assert attacks.wrong(found) == []
    stolen = found["rolled back or rewritten with the stolen key"]
    assert stolen["before the anchor: found"] > 5
    assert stolen["without an anchor: not found, by construction"] == 30
    assert all(told.total() for told in found.values())
