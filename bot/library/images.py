"""Pictures are painted anew before anyone sees them: fresh pixels, nothing else, and small enough for every service."""

import hashlib
import io
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.domain.errors import BadInput, StoreFailed

MAX_BYTES = 15_000_000
MAX_PIXELS = 40_000_000
MAX_SIDE = 4_096
MAX_KEPT = 2_000_000
"""Bytes of a cleaned picture: the least of what the services take (Bluesky), so that one file is approved for all."""
MAX_STRETCH = 20  # times as long as wide: Telegram takes no more
THUMBNAIL = 480
JPEG_QUALITIES = (90, 80, 70)
SHRINK = 0.95
MEDIA = "media"

_KINDS = ("PNG", "JPEG", "WEBP", "GIF")
_SUFFIX: Mapping[str, str] = {"image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`digest` is the SHA-256 of exactly these bytes."""

    digest: str
    mime: str
    width: int
    height: int
    content: bytes


def image_path(data_dir: Path, digest: str, mime: str) -> Path:
    return data_dir / MEDIA / f"{digest}.{_SUFFIX[mime]}"


def clean(raw: bytes) -> Cleaned:
    """A PNG stays PNG, anything else becomes JPEG. Only the first frame is kept. Raises BadInput."""
    if len(raw) > MAX_BYTES:
        raise BadInput(
            "The picture has {size} MB. The most is {most} MB.", size=len(raw) // 10**6, most=MAX_BYTES // 10**6
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a decompression bomb is only warned of at first
        try:
            return _paint_anew(raw)
        except BadInput:
            raise
        except UnidentifiedImageError as error:
            raise BadInput("This is not a PNG, JPEG, WebP or GIF picture. Save it as one of these.") from error
        except Exception as error:  # a decoder fed with hostile bytes may raise anything
            raise BadInput("The picture is damaged and cannot be read. Save it again and try once more.") from error


def _paint_anew(raw: bytes) -> Cleaned:
    with Image.open(io.BytesIO(raw), formats=_KINDS) as source:
        if source.width * source.height > MAX_PIXELS:
            raise BadInput(
                "The picture has {width} × {height} pixels. Make it smaller.", width=source.width, height=source.height
            )
        if max(source.size) > MAX_STRETCH * min(source.size):
            raise BadInput("The picture is more than {times} times as long as it is wide. Cut it.", times=MAX_STRETCH)
        stays_png = source.format == "PNG"
        upright = ImageOps.exif_transpose(source)
        sees_through = "A" in source.getbands() or "transparency" in source.info
        pixels = upright.convert("RGBA" if sees_through else "RGB")
    pixels.thumbnail((MAX_SIDE, MAX_SIDE))
    if sees_through and not stays_png:
        ground = Image.new("RGBA", pixels.size, "white")
        pixels = Image.alpha_composite(ground, pixels).convert("RGB")
    fresh = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    while True:
        for mime, content in _written(fresh, stays_png=stays_png):
            if len(content) <= MAX_KEPT:
                return Cleaned(hashlib.sha256(content).hexdigest(), mime, fresh.width, fresh.height, content)
        by = SHRINK * (MAX_KEPT / len(content)) ** 0.5  # bytes grow with the square of the side
        fresh = fresh.resize((max(1, int(fresh.width * by)), max(1, int(fresh.height * by))), Image.Resampling.LANCZOS)


def _written(fresh: Image.Image, *, stays_png: bool) -> Iterator[tuple[str, bytes]]:
    """The best first. A PNG that nothing shines through may become a JPEG before it becomes smaller."""
    if stays_png:
        yield "image/png", _saved(fresh, "PNG")
    if fresh.mode == "RGB":
        yield from (("image/jpeg", _saved(fresh, "JPEG", quality=quality)) for quality in JPEG_QUALITIES)


def _saved(fresh: Image.Image, kind: str, **how: int) -> bytes:
    out = io.BytesIO()
    fresh.save(out, kind, optimize=True, **how)
    return out.getvalue()


def thumbnail(content: bytes) -> bytes:
    """A small JPEG of a cleaned picture, for pages."""
    with Image.open(io.BytesIO(content), formats=_KINDS) as source:
        source.thumbnail((THUMBNAIL, THUMBNAIL))
        ground = Image.new("RGB", source.size, "white")
        ground.paste(source.convert("RGBA"), mask=source.convert("RGBA"))
        return _saved(ground, "JPEG", quality=JPEG_QUALITIES[-1])


def keep(data_dir: Path, cleaned: Cleaned) -> Path:
    """Written whole or not at all; what is there already stays. Raises StoreFailed."""
    path = image_path(data_dir, cleaned.digest, cleaned.mime)
    if path.exists():
        return path
    part: Path | None = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as new:
            part = Path(new.name)
            new.write(cleaned.content)
            new.flush()
            os.fsync(new.fileno())
        part.chmod(path.parent.stat().st_mode & 0o660)  # as open as its folder
        part.replace(path)
    except OSError as error:
        if part:
            part.unlink(missing_ok=True)
        raise StoreFailed(
            "The picture cannot be kept in {folder}: {why}.", folder=path.parent, why=error.strerror
        ) from error
    return path
