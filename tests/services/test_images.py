"""Pictures are painted anew: nothing of the file but its pixels reaches anyone."""

import hashlib
import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from bot.domain.errors import BadInput, Refused, StoreFailed
from bot.domain.people import Person
from bot.library import images
from bot.library.images import clean, image_path, keep
from bot.platforms import bluesky, facebook, telegram, x
from bot.services import posts
from bot.services.context import Context
from bot.store import images as known_images
from tests.house import Crew
from tests.writing import a_png

SECRET = b"10.7626,106.6602 taken by Nguyen Van A"


def a_jpeg(*, orientation: int = 1, size: tuple[int, int] = (40, 20)) -> bytes:
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.ImageDescription] = SECRET.decode()
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "JPEG", exif=exif, comment=SECRET, icc_profile=SECRET)
    return out.getvalue()


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def test_where_and_by_whom_a_photo_was_taken_is_gone() -> None:
    raw = a_jpeg()
    assert SECRET in raw
    cleaned = clean(raw)
    assert SECRET not in cleaned.content
    assert opened(cleaned.content).getexif() == {}
    assert cleaned.mime == "image/jpeg"


def test_text_in_a_png_and_bytes_behind_it_are_gone() -> None:
    info = PngInfo()
    info.add_text("Author", SECRET.decode())
    raw = saved(Image.new("RGB", (9, 9), "navy"), "PNG", pnginfo=info) + SECRET
    cleaned = clean(raw)
    assert SECRET not in cleaned.content
    assert cleaned.mime == "image/png"
    assert opened(cleaned.content).getpixel((4, 4)) == (0, 0, 128)


def test_a_photo_taken_sideways_stands_upright() -> None:
    cleaned = clean(a_jpeg(orientation=6, size=(40, 20)))
    assert (cleaned.width, cleaned.height) == (20, 40)


def test_the_digest_is_of_the_cleaned_bytes_and_the_same_again() -> None:
    cleaned = clean(a_jpeg())
    assert cleaned.digest == hashlib.sha256(cleaned.content).hexdigest()
    assert clean(a_jpeg()).digest == cleaned.digest


def test_a_png_keeps_what_is_transparent_and_others_get_a_white_ground() -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert opened(clean(saved(clear, "PNG")).content).getpixel((0, 0)) == (255, 0, 0, 0)
    flat = clean(saved(clear, "WEBP", lossless=True))
    assert flat.mime == "image/jpeg"
    assert opened(flat.content).getpixel((0, 0)) == (255, 255, 255)


def test_of_a_moving_picture_the_first_frame_is_kept() -> None:
    frames = [Image.new("P", (6, 6), colour) for colour in (0, 1)]
    cleaned = clean(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert getattr(opened(cleaned.content), "n_frames", 1) == 1


def test_a_palette_with_a_transparent_colour_and_sixteen_bits_are_read() -> None:
    palette = Image.new("P", (3, 3), 0)
    assert clean(saved(palette, "PNG", transparency=0)).mime == "image/png"
    assert clean(saved(Image.new("I;16", (3, 3), 40_000), "PNG")).mime == "image/png"


def test_a_large_picture_is_made_smaller_in_its_proportions() -> None:
    cleaned = clean(saved(Image.new("L", (8_000, 400)), "PNG"))
    assert (cleaned.width, cleaned.height) == (4_096, 205)


def a_bomb() -> bytes:
    """A few hundred bytes of PNG that say they are 30,000 pixels wide and high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"\0" * 1_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not a PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a PNG"),
        (b"%PDF-1.7", "not a PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 200, "damaged"),
        (a_jpeg()[:200], "damaged"),
        (b"GIF89a" + a_jpeg(), "damaged"),
        (b"\xff\xd8\xff" + b"\0" * images.MAX_BYTES, "MB"),
        (a_bomb(), "damaged|smaller"),
    ],
    ids=["empty", "svg", "pdf", "broken png", "cut jpeg", "two kinds", "too many bytes", "bomb"],
)
def test_what_is_no_sound_picture_is_refused_in_one_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        clean(raw)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA")])
def test_the_heaviest_picture_is_made_light_enough_for_every_service(kind: str, mode: str) -> None:
    """Noise is what compresses worst; the largest side is taken once the bytes allow no more."""
    side = 1_600
    noise = Image.frombytes(mode, (side, side), hashlib.shake_128(b"noise").digest(side * side * len(mode)))
    cleaned = clean(saved(noise, kind))
    assert len(cleaned.content) <= min(each.IMAGE_BYTES for each in (bluesky, facebook, telegram, x))
    assert opened(cleaned.content).size == (cleaned.width, cleaned.height)
    assert cleaned.mime == ("image/png" if mode == "RGBA" else "image/jpeg")
    assert opened(cleaned.content).mode == mode


def test_a_light_picture_keeps_its_size_and_a_strip_is_refused() -> None:
    cleaned = clean(saved(Image.new("RGB", (1_200, 630), "teal"), "PNG"))
    assert (cleaned.mime, cleaned.width, cleaned.height) == ("image/png", 1_200, 630)
    assert clean(saved(Image.new("RGB", (400, 20), "teal"), "PNG")).width == 400
    with pytest.raises(BadInput, match="20 times as long"):
        clean(saved(Image.new("RGB", (401, 20), "teal"), "PNG"))


def test_a_picture_just_over_the_pixels_allowed_is_refused() -> None:
    with pytest.raises(BadInput, match="pixels"):
        clean(saved(Image.new("1", (10_000, 4_001)), "PNG"))


def test_a_picture_is_kept_under_its_digest_and_twice_is_once(tmp_path: Path) -> None:
    cleaned = clean(a_png())
    path = keep(tmp_path, cleaned)
    assert path == image_path(tmp_path, cleaned.digest, "image/png") == tmp_path / "media" / f"{cleaned.digest}.png"
    assert keep(tmp_path, cleaned).read_bytes() == cleaned.content
    assert list((tmp_path / "media").iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    with pytest.raises(StoreFailed, match="cannot be kept"):
        keep(tmp_path, clean(a_png()))


def a_picture(ctx: Context, person: Person) -> str:
    return posts.add_picture(ctx, person, a_png(), alt_vi="Một tấm ảnh", alt_en="A picture").digest


def test_a_picture_added_by_a_coordinator_is_on_record(ctx: Context, crew: Crew) -> None:
    digest = a_picture(ctx, crew.coordinator)
    assert digest == a_picture(ctx, crew.coordinator)
    with ctx.store.read() as tx:
        assert known_images.get(tx, digest).width == 8
        assert known_images.missing(tx, [digest, "f" * 64]) == {"f" * 64}


def test_an_auditor_adds_no_picture(ctx: Context, crew: Crew) -> None:
    with pytest.raises(Refused):
        a_picture(ctx, crew.auditor)
