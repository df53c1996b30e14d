"""Publishes into a folder that a person can open, within the limits of the platform it is like."""

import html
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.domain.delivery import Sighting
from bot.domain.post import Profile
from bot.domain.slots import zone
from bot.domain.text import TextRules, count, fits
from bot.ports import ALWAYS, Absent, Account, Failure, Outcome, Parcel, Published, Receipt, Said, Unsure

MODE = 0o700
_HEAD = """<!doctype html><html lang="vi"><meta charset="utf-8"><title>Rehearsal · Diễn tập</title>
<meta name="viewport" content="width=device-width"><style>
body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;
display:flex;flex-direction:column-reverse;background:#faf9f6;color:#1b2126}
article{border:1px solid #d8d4ca;border-radius:6px;background:#fff;padding:1rem;margin:.5rem 0}
p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.5rem 0}small{color:#4a545c}img{max-width:100%}
@media(prefers-color-scheme:dark){
body{background:#12171b;color:#eceae4}article{background:#1a2127;border-color:#343e46}small{color:#b3bac0}}
</style>
"""


class Rehearsal:
    """Nothing leaves the machine. The same key twice is one post, since its folder can be made only once."""

    def __init__(self, folder: Path, profile: Profile) -> None:
        self.rules: TextRules = profile.rules
        self._like = profile.like
        self._channel = profile.name
        self._zone = zone(profile.timezone)
        self._root = folder
        self._folder = folder / profile.name

    repeats: timedelta | None = ALWAYS

    def publish(self, parcel: Parcel) -> Outcome:
        if not fits(parcel.text, self.rules, with_media=bool(parcel.images)):
            weight = count(parcel.text, self.rules)
            return Absent(Failure.REJECTED, f"{self._like} would count {weight} of {self.rules.limit}")
        target = self._place(parcel)
        if not target.exists():
            try:
                self._write(parcel, target)
            except OSError as error:
                # The folder appears by one rename at the very end, so it is either whole or absent.
                if not target.exists():
                    return Absent(Failure.UNREACHABLE, f"cannot write the rehearsal folder: {error.strerror}")
            else:
                self._show(parcel, target)
        return Published(self._receipt(target))

    def find(self, parcel: Parcel, since: datetime) -> Published | Unsure | None:
        del since
        target = self._place(parcel)
        return Published(self._receipt(target)) if target.exists() else None

    def look(self, receipt: Receipt, text: str) -> Sighting | Unsure:
        try:
            kept = self._folder.joinpath(Path(receipt.remote_id).name, "post.txt").read_bytes()
        except OSError:
            return Sighting.GONE
        return Sighting.THERE if kept == text.encode() else Sighting.CHANGED

    def withdraw(self, receipt: Receipt) -> Outcome:
        target = self._folder / Path(receipt.remote_id).name
        gone = self._folder / "withdrawn"
        if target.exists():
            gone.mkdir(mode=MODE, exist_ok=True)
            target.rename(gone / target.name)
        return Published(receipt)

    def check(self) -> Account:
        self._folder.mkdir(parents=True, exist_ok=True, mode=MODE)
        return Account(
            self._channel,
            Said("rehearsal, like {platform}", platform=self._like),
            self._root.joinpath("index.html").as_uri(),
        )

    def _place(self, parcel: Parcel) -> Path:
        moment = parcel.due_at.strftime("%Y-%m-%dT%H%M%SZ")
        return self._folder / f"{moment}-{parcel.delivery_id}-{parcel.idem_key[:12]}"

    def _receipt(self, target: Path) -> Receipt:
        return Receipt(target.name, target.joinpath("post.txt").as_uri())

    def _write(self, parcel: Parcel, target: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=MODE)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=self._folder))
        try:
            draft.joinpath("post.txt").write_bytes(parcel.text.encode())
            draft.joinpath("post.json").write_text(
                json.dumps(self._described(parcel), ensure_ascii=False, indent=2), encoding="utf-8"
            )
            for number, image in enumerate(parcel.images, 1):
                shutil.copyfile(image.path, draft / f"{number}{image.path.suffix}")
            draft.rename(target)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def _described(self, parcel: Parcel) -> Mapping[str, Any]:
        return {
            "channel": self._channel,
            "like": self._like,
            "text": parcel.text,
            "languages": list(parcel.languages),
            "count": count(parcel.text, self.rules),
            "limit": self.rules.limit,
            "due_at": parcel.due_at.isoformat(),
            "reply_to": parcel.parent.remote_id if parcel.parent else "",
            "images": [{"digest": image.digest, "mime": image.mime, "alt": image.alt} for image in parcel.images],
            "key": parcel.idem_key,
        }

    def _show(self, parcel: Parcel, target: Path) -> None:
        """Add the post to the page; one append, so that channels side by side do not disturb each other."""
        pictures = "".join(
            f'<img src="{self._channel}/{target.name}/{number}{image.path.suffix}" alt="{html.escape(image.alt)}">'
            for number, image in enumerate(parcel.images, 1)
        )
        reply = " ↳" if parcel.parent else ""
        when = f"{parcel.due_at.astimezone(self._zone):%Y-%m-%d %H:%M} ({self._zone.key})"
        line = f"{html.escape(self._channel)}{reply} · {when} · {'+'.join(parcel.languages)}"
        article = f"<article><small>{line}</small><p>{html.escape(parcel.text)}</p>{pictures}</article>\n"
        index = self._root / "index.html"
        start = "" if index.exists() else _HEAD
        with os.fdopen(os.open(index, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as page:
            page.write((start + article).encode())
