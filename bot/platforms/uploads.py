"""Pictures on their way up, which is a step apart from posting: each is sent once for all tries of a post."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from bot.ports import Absent, Failure, Image, Outcome, Parcel

T = TypeVar("T")

PATIENCE = 4
"""Times the timeout: a picture may be large and the line slow."""

_AGAIN = frozenset({Failure.UNREACHABLE, Failure.RATE_LIMITED, Failure.LATE})


class Uploads(Generic[T]):
    """What the service calls the pictures that went up for the post being tried."""

    def __init__(self, lasts: Callable[[T], bool] = lambda _: True) -> None:
        """`lasts` says whether the service still keeps one that went up earlier."""
        self._lasts = lasts
        self._kept: dict[tuple[str, int], T] = {}

    def of(self, parcel: Parcel, send: Callable[[Image], T | Absent]) -> list[T] | Absent:
        """One for each picture; the first that does not go up ends it, and the others are not lost."""
        for number, image in enumerate(parcel.images):
            key = parcel.idem_key, number
            if key not in self._kept or not self._lasts(self._kept[key]):
                sent = send(image)
                if isinstance(sent, Absent):
                    return sent
                self._kept[key] = sent
        return [self._kept[parcel.idem_key, number] for number in range(len(parcel.images))]

    def conclude(self, outcome: Outcome) -> Outcome:
        """Only a post that will be tried again needs its pictures any longer."""
        if not (isinstance(outcome, Absent) and outcome.failure in _AGAIN):
            self._kept.clear()
        return outcome

    def lost(self) -> Absent:
        """The service no longer has what went up."""
        self._kept.clear()
        return Absent(Failure.UNREACHABLE, "a picture that went up is gone, and must go up again")


def pixels_of(image: Image) -> bytes | Absent:
    try:
        return image.path.read_bytes()
    except OSError as error:
        return _unread(error)


def too_large(images: Iterable[Image], most: int, who: str) -> Absent | None:
    """Before anything is sent."""
    try:
        large = any(image.path.stat().st_size > most for image in images)
    except OSError as error:
        return _unread(error)
    return Absent(Failure.REJECTED, f"{who} takes pictures of {most} bytes") if large else None


def _unread(error: OSError) -> Absent:
    return Absent(Failure.UNREACHABLE, f"a picture cannot be read: {error.strerror}")
