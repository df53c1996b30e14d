"""What can go wrong, one class for each different thing the caller would do next."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class CampaignError(Exception):
    """The root. `template` is an English sentence with named fields, so that a face can translate it.

    The text never holds a secret, and names a person only where the person asking typed the name. It is true on every
    face; the field `command` is the next step for whoever sits at a command line, which no page shows.
    """

    exit_code = 1

    def __init__(self, template: str, /, **fields: Any) -> None:  # noqa: ANN401 - whatever the sentence prints
        super().__init__(template, fields)
        self.template = template
        self.fields = fields

    def __str__(self) -> str:
        return self.template.format(**self.fields) if self.fields else self.template


class Refused(CampaignError):
    """A rule says no; nothing was changed. Another person, time or text may be accepted."""


class NotFound(CampaignError):
    """No such thing."""


class Conflict(CampaignError):
    """Somebody changed it meanwhile; look again and decide anew."""


class BadInput(CampaignError):
    """What was typed or read cannot be used; nothing was changed."""

    exit_code = 2


class Misconfigured(CampaignError):
    """A file that people edit, or the installation, must be mended first."""

    exit_code = 2


class StoreFailed(CampaignError):
    """The database or the disk failed; what was not confirmed was not done."""


class Tampered(CampaignError):
    """The record or its guards are not as written; publishing must stop."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in something people edit: where, what, and the remedy."""

    file: str
    where: str
    problem: str
    remedy: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)

    def say(self, translate: Callable[[str], str] = str) -> str:
        """One line; `problem` and `remedy` are templates where there are `fields`."""
        place = f"{self.file}: {self.where}" if self.where else self.file
        words = " ".join(translate(part) for part in (self.problem, self.remedy) if part)
        return f"{place}: {words.format_map(self.fields) if self.fields else words}"

    __str__ = say


class Rejected(BadInput):
    """Several findings at once, so that one run shows every problem."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: Sequence[Finding] = tuple(findings)
        super().__init__("{findings}", findings="\n".join(str(finding) for finding in self.findings))
