import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import (
    MAX_RECORD,
    Act,
    Entry,
    Malformed,
    build_record,
    canonical,
    first_prev,
    leaf_hash,
    parse_record,
    payload_commitment,
)
from bot.domain.checkpoint import Frontier, VerifyKey, checkpoint_body, parse_note, parse_vkey, signed_note

NOON = datetime(2026, 11, 21, 12, 0, 0, 123_456, tzinfo=UTC)
LOG = "campaignbot/0a1b2c3d4e5f6071"
texts = st.text(max_size=8).map(lambda text: normalize("NFC", text.encode(errors="ignore").decode()))
keys = st.text('abcdefxyz_ "\\\n', max_size=4)
scalars = st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(keys, values, max_size=4)


def an_entry(**changed: object) -> Entry:
    fields: dict[str, object] = {
        "log": LOG, "seq": 0, "ts": NOON, "actor": "p-0011223344556677", "act": Act.POST_APPROVED,
        "obj": "post:12", "prev": first_prev(LOG), "data": {"digest": "ab" * 32},
    }  # fmt: skip
    return build_record(**{**fields, **changed})  # type: ignore[arg-type]


@given(objects)
def test_canonical_form_is_what_json_writes_sorted_and_without_spaces(value: object) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "value",
    [1.0, None, float("nan"), 2**53, -(2**53), b"bytes", {"k": None}, {"k": 0.5}, {1: "a"}, {"khóa": 1}, {"k": {2}}],
)
def test_what_a_record_may_not_hold_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        canonical(value)


def test_decomposed_vietnamese_and_lone_surrogates_are_refused() -> None:
    with pytest.raises(Malformed):
        canonical(normalize("NFD", "Nguyễn Văn A"))
    with pytest.raises(Malformed):
        canonical("\ud800")


def test_nesting_without_end_is_refused() -> None:
    deep: object = "x"
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(Malformed):
        canonical(deep)


def test_a_record_is_these_very_bytes() -> None:
    assert an_entry(prev="0" * 64, data={"n": 3, "ok": True}).raw == (
        b'{"act":"post.approved","actor":"p-0011223344556677","data":{"n":3,"ok":true},'
        b'"log":"campaignbot/0a1b2c3d4e5f6071","obj":"post:12","pc":"","prev":"' + b"0" * 64 + b'",'
        b'"seq":0,"ts":"2026-11-21T12:00:00.123Z","v":1}'
    )


def test_the_time_is_written_in_utc() -> None:
    in_hanoi = NOON.astimezone(timezone(timedelta(hours=7)))
    assert an_entry(ts=in_hanoi).raw == an_entry().raw


@given(objects)
def test_a_record_reads_back_as_written(data: dict[str, object]) -> None:
    entry = an_entry(data=data)
    again = parse_record(entry.raw)
    assert again == entry
    assert again.data == data
    assert again.leaf == sha256(b"\x00" + entry.raw).hexdigest()


@given(st.data(), objects)
def test_any_other_spelling_of_a_record_is_refused(data: st.DataObject, content: dict[str, object]) -> None:
    raw = an_entry(data=content).raw
    at = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(1, 255))
    changed = raw[:at] + bytes([raw[at] ^ other]) + raw[at + 1 :]
    try:
        entry = parse_record(changed)
    except Malformed:
        return
    # Whatever is taken is canonical itself, and another record.
    assert canonical(json.loads(changed)) == changed or normalize("NFC", changed.decode()) != changed.decode()
    assert entry.leaf != leaf_hash(raw).hex()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw + b"\n",
        lambda raw: b" " + raw,
        lambda raw: raw.replace(b'"v":1', b'"v":2'),
        lambda raw: raw.replace(b'"seq":0', b'"seq":00'),
        lambda raw: raw.replace(b'"seq":0', b'"seq":-0'),
        lambda raw: raw.replace(b'"seq":0', b'"seq":' + b"9" * 5_000),
        lambda raw: raw.replace(b'"n":1', b'"n":1.0'),
        lambda raw: raw.replace(b'"n":1', b'"n":1,"n":1'),
        lambda raw: raw.replace(b'"n":1', b'"n":1,"a":1'),
        lambda raw: raw.replace(b'"n":1', b'"n":null'),
        lambda raw: raw.replace(b'"n":1', b'"n":NaN'),
        lambda raw: raw.replace(b'"n":1', b'"n":9007199254740992'),
        lambda raw: raw.replace(b'"n":1', b'"n":' + b"9" * 5_000),
        lambda raw: raw.replace(b'"n":1', b'"n":"\\u0041"'),
        lambda raw: raw.replace(b'"n":1', b'"n":"\\/"'),
        lambda raw: raw.replace(b'"n":1', b'"n":' + b"[" * 7_000 + b"]" * 7_000),
        lambda raw: raw.replace(b'"n":1', b'"n":' + b'{"n":' * 3_000 + b"1" + b"}" * 3_000),
        lambda raw: raw.replace(b'"n":1', b'"n":"\xff"'),
        lambda raw: raw.replace(b'"n":1', b'"n":1},"x":{}'),
        lambda raw: raw.replace(b"T12:", b"T25:"),
        lambda raw: raw.replace(b"11-21T", b"02-30T"),
        lambda raw: raw.replace(b"post.approved", b"post.appr\xd0\xbeved"),
        lambda _: b"",
        lambda _: b"null",
    ],
)
def test_a_record_spelt_otherwise_is_refused(spoil: object) -> None:
    with pytest.raises(Malformed):
        parse_record(spoil(an_entry(data={"n": 1}).raw))  # type: ignore[operator]


@pytest.mark.parametrize(
    "wrong",
    [
        {"actor": "Nguyễn Văn A"},
        {"obj": "post"},
        {"obj": "case:Nguyễn"},
        {"prev": "AB" * 32},
        {"log": "two words"},
        {"data": {"text": "x" * MAX_RECORD}},
        {"pc": "12"},
    ],
)
def test_what_could_not_be_read_back_is_never_written(wrong: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        an_entry(**wrong)


def test_every_act_can_be_written() -> None:
    assert [an_entry(act=act).act for act in Act] == [act.value for act in Act]


def test_a_payload_commitment_hides_behind_its_salt() -> None:
    assert payload_commitment(b"s" * 32, b"{}") == sha256(b"\x02" + b"s" * 32 + b"{}").hexdigest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word by word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + merkle_root(leaves[:half]) + merkle_root(leaves[half:])).digest()


@given(st.integers(0, 70))
def test_the_frontier_has_the_root_of_the_whole_tree(size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    assert tree.root() == merkle_root(leaves)
    assert Frontier(size, tree.peaks).root() == tree.root()


def test_the_frontier_agrees_with_the_vectors_of_certificate_transparency() -> None:
    tree = Frontier()
    assert tree.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"):
        tree.append(leaf_hash(bytes.fromhex(data)))
    assert tree.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_a_frontier_with_the_wrong_number_of_peaks_is_refused() -> None:
    with pytest.raises(Malformed):
        Frontier(3, [b"x" * 32])


# The example of the documentation of golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_the_key_id_is_that_of_the_published_example() -> None:
    key = parse_vkey(PUBLISHED_KEY)
    assert (key.name, key.id, str(key)) == ("PeterNeumann", "c74f20a3", PUBLISHED_KEY)


@pytest.mark.parametrize("text", ["", PUBLISHED_KEY[:-1], PUBLISHED_KEY.replace("c7", "c8"), PUBLISHED_KEY + "\n"])
def test_a_mistyped_key_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_vkey(text)


def a_note(size: int = 3) -> str:
    key = VerifyKey(LOG, b"\x11" * 32)
    return signed_note(checkpoint_body(LOG, size, b"\x22" * 32), key, b"\x33" * 64)


def test_a_note_is_three_lines_a_gap_and_a_signature() -> None:
    key_id = sha256(f"{LOG}\n".encode() + b"\x01" + b"\x11" * 32).digest()[:4]
    root, blob = b64encode(b"\x22" * 32).decode(), b64encode(key_id + b"\x33" * 64).decode()
    assert a_note() == f"{LOG}\n3\n{root}\n\n— {LOG} {blob}\n"
    note = parse_note(a_note())
    assert (note.origin, note.size, note.root) == (LOG, 3, b"\x22" * 32)
    assert note.body == f"{LOG}\n3\n{root}\n".encode()
    assert note.signatures == ((LOG, key_id.hex(), b"\x33" * 64),)


def test_a_cosignature_of_another_kind_is_passed_over() -> None:
    cosigned = a_note() + "— witness.example " + b64encode(b"\x01" * 80).decode() + "\n"
    assert parse_note(cosigned) == parse_note(a_note())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note[:-1],
        lambda note: note + "\n",
        lambda note: note.replace("\n3\n", "\n03\n"),
        lambda note: note.replace("\n3\n", "\n0\n"),
        lambda note: note.replace("\n3\n", "\n-3\n"),
        lambda note: note.replace("\n\n", "\nextension\n\n"),
        lambda note: note.replace("—", "-"),
        lambda note: note.replace("IiI=", "IiJ="),
        lambda note: note.replace("— ", "— " * 2),
        lambda note: note * 300,
        lambda _: "",
    ],
)
def test_what_is_not_a_note_to_the_letter_is_refused(spoil: object) -> None:
    assert "IiI=" in a_note()
    with pytest.raises(Malformed):
        parse_note(spoil(a_note()))  # type: ignore[operator]


@given(st.text())
def test_no_text_upsets_the_reader_of_notes_and_keys(text: str) -> None:
    for read in (parse_note, parse_vkey):
        with pytest.raises(Malformed):
            read(text)
