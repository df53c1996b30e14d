"""Many posts at once: from a spreadsheet, from TOML, from the starting posts; and out again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.audit import Act
from bot.domain.campaign import LANGUAGES
from bot.domain.case import YEARS
from bot.domain.errors import BadInput, CampaignError, Finding, Rejected
from bot.domain.people import Duty, Person, require
from bot.domain.post import Content, Picture, Post, PostState, canonical, sha256
from bot.domain.reader import finding
from bot.domain.slots import VIETNAM, at_local, zone
from bot.library.files import read_toml
from bot.library.sheets import read_sheet, write_sheet
from bot.services.context import Context
from bot.services.posts import When, add_in, clean_picture
from bot.store import images, posts

REQUIRED = ("campaign", "vi", "en")
COLUMNS = (*REQUIRED, "at", "slot", "grace", "channels", "case", "media", "alt_vi", "alt_en", "note")
"""Besides, `vi:NAME` and `en:NAME` hold the text of one account or platform."""
EXPORTED = ("id", "state", *COLUMNS[:3], "at", *COLUMNS[6:8], "note", "reason", "digest")
MAX_ROWS = 1_000
_PAGE = 500
_GRACE = re.compile(r"([0-9]{1,4})(m|h|)\Z")
_LONGEST_GRACE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class ImportedPosts:
    """`known` rows were imported before; a row with a finding was left out."""

    added: tuple[Post, ...] = ()
    known: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    cells: Mapping[str, str]
    pictures: tuple[Picture, ...] = ()
    size: int = 0


def import_posts(ctx: Context, author: Person, raw: bytes, name: str, *, folder: Path | None = None) -> ImportedPosts:
    """Every good row becomes a draft, once; pictures are read from `folder`, by their bare file names.

    Raises Rejected if the file as a whole is of no use.
    """
    require(author, Duty.WRITE_POST)
    rows, findings = _read(ctx, raw, name)
    if len(rows) > MAX_ROWS:
        raise Rejected([Finding(name, "", f"has more than {MAX_ROWS} posts.", "Split it.")])
    good: list[_Row] = []
    for row in rows:
        try:
            good.append(_with_picture(ctx, row, folder))
        except CampaignError as error:
            findings.append(Finding(name, row.where, error.template, fields=error.fields))
    added: list[Post] = []
    known = 0
    with ctx.store.write() as tx:
        for row in good:
            try:
                content, when = _content(row), _when(row.cells)
                new = add_in(ctx, tx, author, content, when, _key(row.cells))
            except CampaignError as error:
                findings.append(Finding(name, row.where, error.template, fields=error.fields))
                continue
            for picture in row.pictures:
                images.add(tx, picture, row.size, ctx.now())
            added += new
            known += not new
    return ImportedPosts(tuple(added), known, tuple(findings))


def _read(ctx: Context, raw: bytes, name: str) -> tuple[list[_Row], list[Finding]]:
    targets = dict.fromkeys((*ctx.channels, *(channel.profile.like for channel in ctx.channels.values())))
    columns = (*COLUMNS, *(f"{language}:{target}" for target in targets for language in LANGUAGES))
    if not name.lower().endswith(".toml"):
        sheet = read_sheet(raw, columns, required=REQUIRED, name=name)
        return [_Row(f"line {row.line}", row.cells) for row in sheet.rows], list(sheet.findings)
    plain, name = read_toml(raw, name)
    tables = plain.get("post", [])
    if set(plain) - {"post"} or not isinstance(tables, list):
        raise Rejected([Finding(name, "", "holds something else than posts.", "Write each under [[post]].")])
    rows: list[_Row] = []
    findings: list[Finding] = []
    for number, table in enumerate(tables, 1):
        cells = {key: _cell(value) for key, value in table.items()} if isinstance(table, dict) else {}
        bad = next((key for key in cells if key not in columns), None)
        if bad is not None:
            where = f"post {number}: {bad[:40]}"
            findings.append(finding(name, where, "unknown key.", "Remove it.", near=(bad, columns)))
        else:
            rows.append(_Row(f"post {number}", cells))
    return rows, findings


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, (item.strip() for item in re.split(r"[,;\n]", cell))))


def _key(cells: Mapping[str, str]) -> str:
    return sha256(canonical({name: cell.strip() for name, cell in cells.items() if cell.strip()}))


def _with_picture(ctx: Context, row: _Row, folder: Path | None) -> _Row:
    name = row.cells.get("media", "").strip()
    if not name:
        return row
    if folder is None:
        raise BadInput("A picture can only be named where the file lies beside it. Add it to the post afterwards.")
    if Path(name).name != name:
        raise BadInput("“{name}” is no bare file name. Put the picture beside the file.", name=name[:60])
    try:
        raw = (folder / name).read_bytes()
    except OSError as error:
        raise BadInput("The picture “{name}” cannot be read: {why}.", name=name[:60], why=error.strerror) from error
    picture, size = clean_picture(ctx, raw, alt_vi=row.cells.get("alt_vi", ""), alt_en=row.cells.get("alt_en", ""))
    return replace(row, pictures=(picture,), size=size)


def _content(row: _Row) -> Content:
    cells = row.cells
    texts = {(language, ""): cells.get(language, "") for language in LANGUAGES}
    for name, cell in cells.items():
        language, colon, target = name.partition(":")
        if colon and cell.strip():
            texts[language, target] = cell
    for language in LANGUAGES:
        if not texts[language, ""].strip():
            raise BadInput("The text in {language} is empty. Both languages are one post.", language=language)
    return Content(
        campaign=cells.get("campaign", "").strip(),
        texts=texts,
        channels=_listed(cells.get("channels", "")),
        pictures=row.pictures,
        cases=_listed(cells.get("case", "")),
        note=cells.get("note", ""),
    )


def _when(cells: Mapping[str, str]) -> When:
    at, slot, grace = (cells.get(name, "").strip() for name in ("at", "slot", "grace"))
    if at and slot:
        raise BadInput("It has both a time and a slot. Leave one.")
    return When(read_when(at) if at else None, slot, read_grace(grace) if grace else None)


def read_when(text: str, timezone: str = VIETNAM) -> datetime:
    """A local time unless it names its own offset. Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput("“{text}” is not a time. Write it like 2026-12-10 09:00.", text=text[:40]) from error
    if moment.year not in YEARS:
        raise BadInput("“{text}” is not a year of our time. Check the date.", text=text[:40])
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if len(text.strip()) <= len("2026-12-10"):
        raise BadInput("“{text}” has no hour. Write it like 2026-12-10 09:00.", text=text[:40])
    return at_local(moment.date(), moment.time(), timezone)


def read_grace(text: str) -> timedelta:
    """How late it may still go out: 20m, 2h, or minutes. Raises BadInput."""
    match = _GRACE.match(text.strip())
    grace = timedelta(minutes=int(match[1]) * (60 if match[2] == "h" else 1)) if match else timedelta(0)
    if not timedelta(0) < grace <= _LONGEST_GRACE:
        raise BadInput("“{text}” is no time of grace. Write 20m or 2h, two days at most.", text=text[:40])
    return grace


def import_starting_posts(ctx: Context) -> tuple[Post, ...]:
    """The general posts of schedules/posts.toml as drafts, once."""
    with ctx.store.write() as tx:
        found = [
            add_in(ctx, tx, None, content, When(), f"start:{post.id}")
            for post in ctx.schedules.posts
            for content in (
                Content(
                    campaign=post.campaign,
                    texts={("vi", ""): post.vi, ("en", ""): post.en},
                    channels=(),
                    cases=post.cases,
                    note="\n".join(filter(None, (post.note_vi, post.note))),
                ),
            )
        ]
    return tuple(post for added in found for post in added)


def export_posts(ctx: Context, actor: Person, *, states: tuple[PostState, ...] = ()) -> str:
    """Every post with its common text as CSV that a spreadsheet opens; times local to Viet Nam."""
    require(actor, Duty.EXPORT)
    with ctx.store.write() as tx:
        rows: list[Mapping[str, str]] = []
        after: tuple[datetime | None, int] | None = None
        while page := posts.listed(tx, states=states, after=after, limit=_PAGE):
            rows += map(_exported, page)
            after = (page[-1].due, page[-1].id)
        ctx.record(tx, actor, Act.POST_EXPORTED, "post:all", {"posts": len(rows)})
    return write_sheet(EXPORTED, rows)


def _exported(post: Post) -> Mapping[str, str]:
    content = post.content
    return {
        "id": str(post.id),
        "state": post.state.value,
        "campaign": content.campaign,
        **{language: content.texts.get((language, ""), "") for language in LANGUAGES},
        "at": post.due.astimezone(zone(VIETNAM)).strftime("%Y-%m-%d %H:%M") if post.due else "",
        "channels": ",".join(content.channels),
        "case": ",".join(content.cases),
        "note": content.note,
        "reason": post.reason,
        "digest": post.digest,
    }
