"""An installation with a little of everything, of people who do not exist, served on loopback by its own process.

`python -m tests.system.browser.showcase FOLDER` prints one line of JSON and serves until its standard input closes; at
each moment that it reads there, its clock goes on to it, and what is due by then is sent.
"""

import json
import socket
import sys
import threading
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from waitress.server import create_server

from bot.domain.case import Address, Consent, EventKind, Status
from bot.domain.people import Person, Role
from bot.domain.post import Post
from bot.ports import Unsure
from bot.services import (
    anchors,
    audit,
    deliver,
    hearings,
    invitations,
    people,
    plan,
    posts,
    queue,
    review,
    sessions,
    standing,
)
from bot.services.context import Context, SigningIn
from bot.services.posts import When
from bot.store import heartbeats
from bot.web import create_app
from bot.web.frame import Site
from bot.web.gate import OPEN
from tests.farside import FarSide, drain, go_to
from tests.house import Crew, FakeClock, bring_in, build_house, open_house
from tests.sample_cases import a_case, an_event
from tests.writing import a_content, a_png, on_file

PASSPHRASE = "bốn cánh buồm trên sông lạnh"
LIKES = ("x", "facebook", "bluesky", "mastodon", "telegram")
DAY = date(2026, 11, 30)
MORNING = datetime.fromisoformat("2026-11-23T09:00:00+07:00")
X, FACEBOOK, BLUESKY = "rehearsal-x", "rehearsal-facebook", "rehearsal-bluesky"
VI = (
    "Nguyễn Văn A (tên mẫu) bị bắt ngày 30 tháng 11 năm 2020. Xin đọc câu chuyện của ông: https://example.org/a\n\n"
    "#StopTheCrackdownVN"
)
EN = (
    "Nguyen Van A (a sample name) was arrested on 30 November 2020. Read his story: https://example.org/a\n\n"
    "#StopTheCrackdownVN"
)


@dataclass
class Showcase:
    """What its readers need: where it is, who is signed in by which cookie, and what stands in each address."""

    url: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)


def fill(folder: Path) -> tuple[Context, Showcase]:
    folder.mkdir(parents=True, exist_ok=True)
    build_house(folder)
    house = replace(open_house(folder, likes=LIKES), signing_in=SigningIn(hasher=PasswordHasher(1, 8, 1)))
    crew = bring_in(house)
    mai, _token = people.add_person(house, crew.an, "mai", set(Role))
    made = Showcase()
    add_cases(house, crew)
    numbers = {name: str(post.id) for name, post in add_posts(house, crew, mai).items()}
    made.places = {
        "post_id": [numbers["draft"], numbers["waiting"]],
        "/posts/<int:post_id>": list(numbers.values()),
        "/review/<int:post_id>": [numbers[name] for name in ("waiting", "own", "edited")],
        "/hearings/<int:post_id>": asked(house),
        "anniversary": [str(found) for one, found in plan.upcoming(house, DAY, DAY) if "arrest" in one.key],
        "slug": ["nguyen-van-a"],
        "/cases/<slug>": ["nguyen-van-a", "le-van-c", "pham-van-d", "vo-thi-e"],
        "key": ["arrest-2020-11-30"],
        "standing_id": [str(one.standing.id) for one in standing.list_standings(house)],
        "person_id": ["2", "3"],
        "seq": ["0", "7", "40"],
        "name": ["rehearsal-x", "rehearsal-facebook"],
        "year": ["2026"],
        "month": ["11"],
        "day": ["25"],
        "campaign": ["stop-the-crackdown-vn"],
        "token": [invitations.invite(house, crew.an, "hoa", {Role.COORDINATOR})],
    }
    sign(house, crew)
    with house.store.write() as tx:
        heartbeats.beat(tx, "showcase", house.now())
    for alias, person in {**{name: getattr(crew, name) for name in crew.tokens}, "mai": mai}.items():
        invitations.accept(house, invitations.reset(house, crew.an, alias), PASSPHRASE)
        made.cookies[alias] = sessions.open_session(house, person, device="Firefox, Linux").token
    return house, made


def add_cases(house: Context, crew: Crew) -> None:
    """One of each status; the first marks days soon, the second may have been tried with them, the third is free."""
    on_file(
        house,
        a_case(
            an_event(EventKind.ARREST, "2020-11-30"),
            an_event(EventKind.TRIAL, "2021-12-02", court="Hà Nội"),
            occupation_vi="nhà báo",
            occupation_en="journalist",
            address=Address.ONG,
        ),
        a_case(
            an_event(EventKind.ARREST, "2019-11-26"),
            an_event(EventKind.TRIAL, "2021-12-02", court="Hà Nội"),
            slug="tran-thi-b",
            name_vi="Trần Thị B",
            name_en="Tran Thi B",
            as_of="2026-10",
            address=Address.BA,
        ),
        a_case(
            an_event(EventKind.ARREST, "2016-03"),
            an_event(EventKind.RELEASE, "2020-12-01"),
            slug="le-van-c",
            name_vi="Lê Văn C",
            name_en="Le Van C",
            status=Status.RELEASED,
        ),
        a_case(
            slug="pham-van-d",
            name_vi="Phạm Văn Đ",
            name_en="Pham Van D",
            status=Status.AWAITING_TRIAL,
            consent=Consent.LIMITED,
            note="No exact day of the arrest is known.",
            note_vi="Chưa rõ ngày bị bắt.",
        ),
        a_case(slug="vo-thi-e", name_vi="Võ Thị E", name_en="Vo Thi E", status=Status.EXILED, consent=Consent.REFUSED),
        by=crew.binh,
    )


def add_posts(house: Context, crew: Crew, mai: Person) -> dict[str, Post]:
    """One in every state there is."""
    waiting = submitted(house, crew, 30)
    sent = approved(house, crew, -0.1, X)
    unsure = approved(house, crew, -0.15, FACEBOOK)
    coming = approved(house, crew, 6, BLUESKY)
    late = submitted(house, crew, -0.2)
    send(unclear(house), until=MORNING)
    returned = submitted(house, crew, 40)
    review.return_post(house, crew.chi, returned.id, "Nguồn viết “gần hai năm”. / The source says “almost two years”.")
    own = submitted(house, crew, 44, author=mai)
    edited = written(house, crew, 50)
    texts = {**edited.content.texts, ("vi", ""): f"{VI} Xin chia sẻ."}
    posts.edit_post(house, crew.binh, edited.id, replace(edited.content, texts=texts), revision=edited.revision)
    review.submit(house, crew.binh, edited.id)
    draft, stopped = written(house, crew, 60), written(house, crew, 70)
    review.cancel(house, crew.binh, stopped.id, "Gia đình xin hoãn. / The family asks to wait.")
    picture = posts.add_picture(house, crew.binh, a_png(64, 48), alt_vi="Một bức tường xanh", alt_en="A blue wall")
    pictured = written(house, crew, 80, pictures=(picture,))
    queue.hold_posts(house, crew.chi, [coming.id], "Đợi nguồn thứ hai. / A second source is to come.")
    plan.plan(house)
    standing.propose_standing(house, crew.binh, ["nguyen-van-a"])
    return {
        "waiting": waiting, "sent": sent, "unsure": unsure, "coming": coming, "late": late, "returned": returned,
        "own": own, "edited": edited, "draft": draft, "stopped": stopped, "pictured": pictured,
    }  # fmt: skip


def asked(house: Context) -> list[str]:
    """The drafts that wait for an answer whether two were tried together."""
    with house.store.read() as tx:
        return [str(post.id) for post in hearings.open_questions(tx)]


def written(
    house: Context, crew: Crew, hours: float, *channels: str, author: Person | None = None, **more: object
) -> Post:
    """So many hours after the morning on which the clock then stands."""
    content = a_content(vi=VI, en=EN, channels=channels or tuple(house.channels), cases=("nguyen-van-a",), **more)
    return posts.add_post(house, author or crew.binh, content, When(at=MORNING + timedelta(hours=hours)))


def submitted(house: Context, crew: Crew, hours: float, *channels: str, author: Person | None = None) -> Post:
    return review.submit(house, crew.binh, written(house, crew, hours, *channels, author=author).id)


def approved(house: Context, crew: Crew, hours: float, *channels: str) -> Post:
    post = submitted(house, crew, hours, *channels)
    for reviewer in (crew.chi, crew.dung):
        if not review.approve(house, reviewer, post.id, post.digest).missing:
            break
    return posts.get_post(house, post.id)


def send(house: Context, until: datetime) -> None:
    """That moment comes, and what is due by then is sent."""
    assert isinstance(house.clock, FakeClock)
    go_to(house.clock, until - timedelta(minutes=1))
    with house.store.write() as tx:
        heartbeats.beat(tx, "showcase", house.now())
    worker = deliver.start(house, "showcase")
    go_to(house.clock, until)
    drain(house, worker)
    review.lapse_overdue(house)
    with house.store.write() as tx:
        heartbeats.beat(tx, "showcase", house.now())
    audit.checkpoint(house.store, house.keystore, now=house.now(), force=True)


def unclear(house: Context) -> Context:
    """With a Facebook that gives no clear answer."""
    far = FarSide(answers=[lambda _: Unsure("cut")], finds=[None] * 50)
    return replace(house, channels={**house.channels, FACEBOOK: replace(house.channels[FACEBOOK], platform=far)})


def sign(house: Context, crew: Crew) -> None:
    made = audit.checkpoint(house.store, house.keystore, now=house.now(), force=True)
    assert made
    anchors.add(house, crew.giang, made.note, "hai người giữ giúp")
    audit.checkpoint(house.store, house.keystore, now=house.now(), force=True)


def rules_of(app: Flask) -> list[str]:
    """Every page there is."""
    shown = (rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint not in OPEN)
    return sorted({str(rule) for rule in shown})


def main(folder: Path) -> None:
    house, made = fill(folder)
    app = create_app(house, Site(name="Stop the Crackdown VN"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = create_server(app, sockets=[listening], threads=4, ident=None)
        made.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        made.rules = rules_of(app)
        print(json.dumps(asdict(made)), flush=True)  # noqa: T201 - to whoever started it
        threading.Thread(target=server.run, daemon=True).start()
        for line in sys.stdin:
            send(house, until=datetime.fromisoformat(line.strip()))
            print("sent", flush=True)  # noqa: T201
        server.close()
    house.store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
