"""Of what people are told unasked: which entries of the log, which conditions, and as how few numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_IDS = 20


class Topic(StrEnum):
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    GONE = "gone"
    STANDS = "stands"
    LAPSED = "lapsed"
    ACCOUNT = "account"
    AILING = "ailing"
    HALT = "halt"
    UNHALT_ASKED = "unhalt_asked"
    UNHALTED = "unhalted"
    CLOCK = "clock"
    LOG = "log"
    UNSIGNED = "unsigned"
    UNANCHORED = "unanchored"
    SILENT = "silent"
    BACKUP = "backup"
    APPROVALS = "approvals"
    URGENT = "urgent"


# Where a reader looks further; a path of the pages, and no more, stands in an alert.
PAGES: Mapping[Topic, str] = {
    Topic.FAILED: "/",
    Topic.UNKNOWN: "/",
    Topic.HELD: "/",
    Topic.GONE: "/",
    Topic.STANDS: "/",
    Topic.LAPSED: "/queue?state=lapsed",
    Topic.ACCOUNT: "/accounts",
    Topic.AILING: "/accounts",
    Topic.HALT: "/pause",
    Topic.UNHALT_ASKED: "/pause",
    Topic.UNHALTED: "/pause",
    Topic.CLOCK: "/",
    Topic.LOG: "/audit",
    Topic.UNSIGNED: "/audit",
    Topic.UNANCHORED: "/audit",
    Topic.SILENT: "/",
    Topic.BACKUP: "/",
    Topic.APPROVALS: "/review",
    Topic.URGENT: "/review",
}
# What the log says, by the act's own name: a log may be written by a newer program.
ACTS: Mapping[str, Topic] = {
    "delivery.failed": Topic.FAILED,
    "delivery.missed": Topic.FAILED,
    "delivery.unknown": Topic.UNKNOWN,
    "delivery.held": Topic.HELD,
    "delivery.gone": Topic.GONE,
    "delivery.changed": Topic.GONE,
    "delivery.not_withdrawn": Topic.STANDS,
    "post.lapsed": Topic.LAPSED,
    "channel.paused": Topic.ACCOUNT,
    "halt.started": Topic.HALT,
    "halt.end_asked": Topic.UNHALT_ASKED,
    "halt.ended": Topic.UNHALTED,
    "clock.doubted": Topic.CLOCK,
    "log.altered": Topic.LOG,
}
# An answer falls with the post it answers, and is not told of again.
_FOLLOWS = frozenset({"parent_missing"})


@dataclass(frozen=True, slots=True)
class Notice:
    """`ids` are numbers of deliveries or posts, of which `count` may be more."""

    topic: Topic
    count: int = 1
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry of the log, as far as an alert may know it."""

    act: str
    obj: str
    reason: str = ""


def gathered(happened: Iterable[Happened], topics: frozenset[Topic]) -> tuple[Notice, ...]:
    """One notice a topic, however much happened: a storm is a number."""
    found: dict[Topic, dict[str, None]] = {}
    for each in happened:
        topic = ACTS.get(each.act)
        if topic in topics and each.reason not in _FOLLOWS:
            found.setdefault(topic, {})[each.obj] = None
    return tuple(Notice(topic, len(found[topic]), _numbers(found[topic])) for topic in Topic if topic in found)


def _numbers(objects: Iterable[str]) -> tuple[int, ...]:
    """Only bare numbers leave: a channel is known by its name."""
    numbers = (obj.partition(":")[2] for obj in objects if obj.partition(":")[0] in {"delivery", "post"})
    return tuple(int(number) for number in numbers if number.isdecimal())[:MOST_IDS]


Said = Mapping[str, Mapping[str, object]]
"""By topic, what was told of a condition that still holds: the day, and the ids."""


def news(lasting: Iterable[Notice], said: Said, day: str) -> tuple[Notice, ...]:
    """Of what lasts, that which nobody was told today, or which has grown since."""
    return tuple(each for each in lasting if _is_new(each, said.get(each.topic, {}), day))


def _is_new(notice: Notice, told: Mapping[str, object], day: str) -> bool:
    known = told.get("ids")
    return told.get("day") != day or not set(notice.ids) <= set(known if isinstance(known, list) else ())


def remembered(lasting: Iterable[Notice], told: Iterable[Notice], said: Said, day: str) -> dict[str, dict[str, object]]:
    """What to know next time: of what holds no more, nothing, so that it is told anew when it comes back."""
    fresh = {each.topic for each in told}
    return {
        each.topic.value: {"day": day, "ids": list(each.ids)} if each.topic in fresh else dict(said[each.topic])
        for each in lasting
        if each.topic in fresh or each.topic in said
    }
