"""What Facebook knows of a Page's token, and how long it and a version of the Graph API last."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.platforms.answers import Answer
from bot.ports import Said

SCOPES = ("pages_manage_posts", "pages_read_engagement", "pages_show_list")
TOKEN_SOON, VERSION_SOON = timedelta(days=14), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Version:
    """`ends` is the day on which Meta ends it, where that is known."""

    name: str
    ends: date | None = None

    def amiss(self, given: Answer, now: datetime) -> Iterator[str]:
        """Facebook answers in its oldest version where the one that was asked for has ended."""
        spoken = given.headers.get("facebook-api-version", self.name)
        if spoken != self.name:
            yield Said(
                "Facebook answers as {spoken}, not as {version}: change graph_version.",
                spoken=spoken[:9],
                version=self.name,
            )
        if self.ends and self.ends - now.date() < VERSION_SOON:
            line = "Version {version} of the Graph API ends on {date}: set graph_version to a newer one."
            yield Said(line, version=self.name, date=self.ends)

    def notes(self) -> Iterator[str]:
        if self.ends:
            yield Said("Version {version} of the Graph API, until {date}.", version=self.name, date=self.ends)


@dataclass(frozen=True, slots=True)
class PageToken:
    """`told` is the answer of debug_token; empty where there was none."""

    told: Mapping[str, Any] = field(repr=False)

    def lacking(self, page: str) -> Iterator[str]:
        if self.told.get("is_valid") is not True:
            yield Said("Facebook does not say that the token is valid: make a new one.")
            return
        if self.told.get("type") != "PAGE" or str(self.told.get("profile_id") or page) != page:
            yield Said("This is not the token of the Page: take the one that /me/accounts lists for it.")
        for scope in SCOPES:
            if not self._grants(scope, page):
                yield Said("The access token lacks the right “{scope}”.", scope=scope)

    def ending(self, now: datetime) -> Iterator[str]:
        if (ends := _moment(self.told.get("expires_at"))) and ends - now < TOKEN_SOON:
            yield Said("The token ends on {date}: make a new one before.", date=ends.date())
        if (ends := _moment(self.told.get("data_access_expires_at"))) and ends - now < TOKEN_SOON:
            line = "The token reads nothing after {date}: whoever made it must sign in to the app again."
            yield Said(line, date=ends.date())

    @property
    def expires_at(self) -> datetime | None:
        """Whichever ends first: the token, or its right to read."""
        ends = map(_moment, (self.told.get("expires_at"), self.told.get("data_access_expires_at")))
        return min(filter(None, ends), default=None)

    def notes(self) -> Iterator[str]:
        ends = _moment(self.told.get("expires_at"))
        yield Said("The token ends on {date}.", date=ends.date()) if ends else Said("The token has no end of its own.")

    def _grants(self, scope: str, page: str) -> bool:
        """A right may be given for some Pages and not for others."""
        scopes, narrowed = self.told.get("scopes"), self.told.get("granular_scopes")
        targets = [
            each["target_ids"]
            for each in (narrowed if isinstance(narrowed, list) else ())
            if isinstance(each, dict) and each.get("scope") == scope and isinstance(each.get("target_ids"), list)
        ]
        return isinstance(scopes, list) and scope in scopes and all(page in map(str, ids) for ids in targets)


def _moment(seconds: object) -> datetime | None:
    """0 stands for never."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) and seconds else None
    except (OverflowError, OSError, ValueError):
        return None
