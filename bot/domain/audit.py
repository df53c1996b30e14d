"""The audit record as bytes: its closed form, its canonical writing, its place in the chain."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple, NoReturn
from unicodedata import is_normalized

MAX_RECORD = 16_384
_MAX_DEPTH = 8
_MAX_INTEGER = 2**53
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


class Act(StrEnum):
    """What was done. Only these are written; a reader takes any tag of the shape, so that it never ages."""

    LOG_OPENED = "log.opened"
    LOG_EXPORTED = "log.exported"
    LOG_ALTERED = "log.altered"
    LOG_ANCHORED = "log.anchored"
    KEY_ADDED = "key.added"
    DAEMON_STARTED = "daemon.started"
    DAEMON_STOPPED = "daemon.stopped"
    CLOCK_DOUBTED = "clock.doubted"
    CLOCK_CONFIRMED = "clock.confirmed"
    BACKUP_MADE = "backup.made"
    BACKUP_FAILED = "backup.failed"
    BACKUP_RESTORED = "backup.restored"
    HALT_STARTED = "halt.started"
    HALT_END_ASKED = "halt.end_asked"
    HALT_ENDED = "halt.ended"
    HOLD_END_ASKED = "hold.end_asked"
    PANICKED = "program.panicked"
    PERSON_ADDED = "person.added"
    PERSON_RENAMED = "person.renamed"
    PERSON_ROLE_CHANGED = "person.role_changed"
    PERSON_DISABLED = "person.disabled"
    PERSON_ENABLED = "person.enabled"
    PERSON_TOKEN_RESET = "person.token_reset"  # noqa: S105 - the name of an act, no secret
    PERSON_INVITED = "person.invited"
    PERSON_PASSPHRASE_SET = "person.passphrase_set"  # noqa: S105 - the name of an act, no secret
    PERSON_TOKEN_MINTED = "person.token_minted"  # noqa: S105 - the name of an act, no secret
    PERSON_FACTOR_ADDED = "person.factor_added"
    PERSON_FACTOR_DROPPED = "person.factor_dropped"
    PERSON_RESET = "person.reset"
    PERSON_ERASED = "person.erased"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGNED_OUT = "person.signed_out"
    CAMPAIGN_HELD = "campaign.held"
    CAMPAIGN_UNHELD = "campaign.unheld"
    CAMPAIGN_CHANGED = "campaign.changed"
    LANGUAGE_HELD = "language.held"
    LANGUAGE_UNHELD = "language.unheld"
    CHANNEL_ADDED = "channel.added"
    CHANNEL_CHANGED = "channel.changed"
    CHANNEL_HELD = "channel.held"
    CHANNEL_UNHELD = "channel.unheld"
    CHANNEL_PAUSED = "channel.paused"
    CHANNEL_RESUMED = "channel.resumed"
    CHANNEL_SECRET_CHANGED = "channel.secret_changed"  # noqa: S105 - the name of an act, no secret
    CASE_ADDED = "case.added"
    CASE_IMPORTED = "case.imported"
    CASE_FACT_CHANGED = "case.fact_changed"
    CASE_CONFIRMED = "case.confirmed"
    CASE_CONSENT_CHANGED = "case.consent_changed"
    CASE_HEARING_ANSWERED = "case.hearing_answered"
    CASE_HELD = "case.held"
    CASE_UNHELD = "case.unheld"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_EXPORTED = "case.exported"
    POST_DRAFTED = "post.drafted"
    POST_ADDED = "post.added"
    POST_IMPORTED = "post.imported"
    POST_EDITED = "post.edited"
    POST_SUBMITTED = "post.submitted"
    POST_COMMENTED = "post.commented"
    POST_RETURNED = "post.returned"
    POST_APPROVED = "post.approved"
    POST_APPROVAL_VOIDED = "post.approval_voided"
    POST_SCHEDULED = "post.scheduled"
    POST_LAPSED = "post.lapsed"
    POST_CANCELLED = "post.cancelled"
    POST_PARTLY_PUBLISHED = "post.partly_published"
    POST_PUBLISHED = "post.published"
    POST_HELD = "post.held"
    POST_UNHELD = "post.unheld"
    POST_WITHDRAWN = "post.withdrawn"
    POST_EXPORTED = "post.exported"
    STANDING_PROPOSED = "standing.proposed"
    STANDING_APPROVED = "standing.approved"
    STANDING_VOIDED = "standing.voided"
    DELIVERY_SCHEDULED = "delivery.scheduled"
    DELIVERY_CLAIMED = "delivery.claimed"
    DELIVERY_SENDING = "delivery.sending"
    DELIVERY_PUBLISHED = "delivery.published"
    DELIVERY_UNKNOWN = "delivery.unknown"
    DELIVERY_RETRY = "delivery.retry"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_HELD = "delivery.held"
    DELIVERY_RELEASED = "delivery.released"
    DELIVERY_MISSED = "delivery.missed"
    DELIVERY_CANCELLED = "delivery.cancelled"
    DELIVERY_RESEND_ASKED = "delivery.resend_asked"
    DELIVERY_SETTLED = "delivery.settled"
    DELIVERY_WITHDRAWN = "delivery.withdrawn"
    DELIVERY_NOT_WITHDRAWN = "delivery.not_withdrawn"
    DELIVERY_GONE = "delivery.gone"
    DELIVERY_CHANGED = "delivery.changed"
    DELIVERY_ACKNOWLEDGED = "delivery.acknowledged"
    DELIVERY_EXPORTED = "delivery.exported"


class Malformed(ValueError):
    """These bytes or values are no record, note or key of ours."""


class Entry(NamedTuple):
    """One record, read. `raw` are the exact bytes that `leaf` hashes; `ts` is UTC to the millisecond.

    A tuple, because a million of them are made when the log is verified.
    """

    seq: int
    ts: datetime
    actor: str
    act: str
    obj: str
    data: Mapping[str, Any]
    pc: str
    prev: str
    log: str
    raw: bytes
    leaf: str


def canonical(value: object) -> bytes:
    """RFC 8785, for NFC strings, booleans, integers below 2^53, lists and objects with ASCII keys alone."""
    _require_plain(value, _MAX_DEPTH, written=True)
    try:
        return _encode(value).encode()
    except UnicodeEncodeError as error:
        raise Malformed("a lone surrogate is no text") from error


def _require_plain(value: object, depth: int, *, written: bool = False) -> None:
    """NFC is asked of what is written, not of what is read: it moves with Unicode, the hash does not."""
    if isinstance(value, str):
        if written and not value.isascii() and not is_normalized("NFC", value):
            raise Malformed("text is not NFC")
        return
    if isinstance(value, int):
        if not -_MAX_INTEGER < value < _MAX_INTEGER:
            raise Malformed("integer of 2^53 or more")
        return
    if depth == 0 or not isinstance(value, dict | list):
        raise Malformed(f"a record holds no {type(value).__name__} here")
    if isinstance(value, dict) and not all(isinstance(key, str) and key.isascii() for key in value):
        raise Malformed("a key is not ASCII text")
    for item in value.values() if isinstance(value, dict) else value:
        _require_plain(item, depth - 1, written=written)


ORIGIN = r"[A-Za-z0-9./-]{1,64}"
_RECORD = re.compile(
    r'\{"act":"([a-z_]{1,19}\.[a-z_]{1,20})","actor":"([A-Za-z0-9._:-]{1,64})","data":(\{.*\}),'
    r'"log":"(' + ORIGIN + r')",'
    r'"obj":"([a-z_]{1,16}:[A-Za-z0-9._-]{1,63})","pc":"((?:[0-9a-f]{64})?)","prev":"([0-9a-f]{64})",'
    r'"seq":(0|[1-9][0-9]{0,14}),"ts":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)","v":1\}'
)


def _refuse(token: str) -> NoReturn:
    raise Malformed(f"a record holds no {token}")


_decode = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).raw_decode
_VALUE = r'(?:"[ !#-\[\]-~]*"|true|false|0|-?[1-9][0-9]{0,14})'
_FLAT = re.compile(r'\{"[ !#-\[\]-~]*":' + _VALUE + r'(?:,"[ !#-\[\]-~]*":' + _VALUE + r")*\}")


def _parse_data(body: str) -> Mapping[str, Any]:
    """Flat plain objects, nearly all there are, need only their keys compared: half the cost of writing."""
    if body == "{}":
        return {}
    data: dict[str, Any]
    data, end = _decode(body)
    if _FLAT.fullmatch(body) and len(data) == body.count('":') and list(data) == sorted(data):
        return data
    _require_plain(data, _MAX_DEPTH)
    if end != len(body) or _encode(data) != body:
        raise Malformed("data is not in canonical form")
    return data


def parse_record(raw: bytes) -> Entry:
    """Raises Malformed for anything that is not, byte for byte, the canonical form of what it says."""
    if len(raw) > MAX_RECORD:
        raise Malformed("record too long")
    try:
        found = _RECORD.fullmatch(raw.decode())
        if found is None:
            raise Malformed("not the closed form of a record")
        act, actor, body, log, obj, pc, prev, seq, ts = found.groups()
        when = datetime.fromisoformat(ts)
        data = _parse_data(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
    return Entry(int(seq), when, actor, act, obj, data, pc, prev, log, raw, leaf_hash(raw).hex())


def build_record(  # noqa: PLR0913 - the closed set of a record's fields
    *,
    log: str,
    seq: int,
    ts: datetime,
    actor: str,
    act: Act,
    obj: str,
    prev: str,
    data: Mapping[str, Any],
    pc: str = "",
) -> Entry:
    """What our own reader would refuse is never written: raises Malformed. `ts` must be aware."""
    when = ts.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"v": 1, "log": log, "seq": seq, "ts": when, "actor": actor, "act": Act(act).value, "obj": obj}
    return parse_record(canonical(fields | {"data": dict(data), "pc": pc, "prev": prev}))


def leaf_hash(record: bytes) -> bytes:
    return sha256(b"\x00" + record).digest()


def first_prev(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()


def payload_commitment(salt: bytes, payload: bytes) -> str:
    return sha256(b"\x02" + salt + payload).hexdigest()
