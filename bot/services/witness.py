"""The watch from another machine: whether a log continues what was seen of it before. It needs no installation."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from bot.domain.audit import Malformed
from bot.domain.checkpoint import Note, VerifyKey, parse_note, parse_vkey
from bot.domain.errors import BadInput
from bot.domain.proof import continues
from bot.domain.remarks import Remark, remark
from bot.services.verify import ALTERED, GOOD, NOT_PROVABLE, is_signed

MAX_STEPS = 64
_FROM = re.compile(r'\{"from":([1-9][0-9]{0,14}),')


@dataclass(frozen=True, slots=True)
class Seen:
    """The keys that are believed, and every checkpoint since, the newest last."""

    vkeys: tuple[str, ...]
    notes: tuple[str, ...]

    def write(self) -> str:
        return json.dumps({"v": 1, "vkeys": self.vkeys, "notes": self.notes}, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Sight:
    """`code` is the exit code; `seen` is what to keep from now on, unchanged unless all is well."""

    code: int
    reason: Remark
    seen: Seen | None
    size: int = 0


def read_seen(text: str) -> Seen:
    """Raises BadInput."""
    try:
        plain = json.loads(text)
        seen = Seen(tuple(plain["vkeys"]), tuple(plain["notes"]))
        _ = _keys(seen.vkeys), [parse_note(note) for note in seen.notes[-1:]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadInput("What was seen before cannot be read. Bring back a copy of the state file.") from error
    return seen


def _keys(vkeys: Iterable[str]) -> tuple[VerifyKey, ...]:
    return tuple(parse_vkey(text) for text in vkeys)


def look(seen: Seen | None, *, note: str, proofs: Iterable[str], vkeys: Iterable[str]) -> Sight:
    """`vkeys` are believed from now on, besides those of `seen`. Whatever `note` and `proofs` hold is only judged."""
    try:
        now, keys = parse_note(note), _keys(dict.fromkeys((*(seen.vkeys if seen else ()), *vkeys)))
    except Malformed:
        return Sight(NOT_PROVABLE, remark("What was found there is no signed checkpoint."), seen)
    if not any(is_signed(now, key) for key in keys):
        return Sight(ALTERED, remark("The checkpoint is not signed by the key that was believed."), seen, now.size)
    if seen is None or not seen.notes:
        first = Seen(tuple(str(key) for key in keys), (note,))
        return Sight(GOOD, remark("Seen for the first time, at {size} entries.", size=now.size), first, now.size)
    last = parse_note(seen.notes[-1])
    if last.origin != now.origin:
        return Sight(ALTERED, remark("This is another log than the one seen before."), seen, now.size)
    code, reason = _compare(last, now, proofs)
    if code == GOOD and note not in seen.notes:
        seen = Seen(tuple(str(key) for key in keys), (*seen.notes, note))
    return Sight(code, reason, seen, now.size)


def _compare(last: Note, now: Note, proofs: Iterable[str]) -> tuple[int, Remark]:
    sizes = {"before": last.size, "size": now.size}
    if now.size < last.size:
        return ALTERED, remark("The log went back: {size} entries, and {before} were seen.", **sizes)
    if now.size == last.size:
        if now.root == last.root:
            return GOOD, remark("Nothing new: {size} entries.", **sizes)
        return ALTERED, remark("There are two logs of {size} entries: one was rewritten.", **sizes)
    known = {int(found[1]): line for line in proofs if (found := _FROM.match(line))}
    path = _path(known.get(last.size, ""))
    if path is None:
        return _unproven(sizes, min(known, default=last.size))
    if continues(last.size, last.root, now.size, now.root, path):
        return GOOD, remark("{size} entries, which continue the {before} seen before.", **sizes)
    said = remark("The {size} entries do not continue the {before} seen before: the log was rewritten.", **sizes)
    return ALTERED, said


def _unproven(sizes: dict[str, int], oldest: int) -> tuple[int, Remark]:
    """Whoever signed what was seen would have to show it between its neighbours."""
    if oldest < sizes["before"]:
        said = remark("The log no longer knows the {before} entries that were seen: it was rewritten.", **sizes)
        return ALTERED, said
    return NOT_PROVABLE, remark("There is no proof from {before} to {size} entries. Ask for one.", **sizes)


def _path(line: str) -> list[bytes] | None:
    try:
        return [bytes.fromhex(step) for step in islice(json.loads(line)["path"], MAX_STEPS)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
