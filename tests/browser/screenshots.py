"""Takes the pictures in docs/images: ``python tests/browser/screenshots.py docs/images`` (that is `make screenshots`).

Four things, each on a desk's screen and a small phone's, in light and dark: the notice on the front page, the
placeholder of a video, the confirmation, and the preferences page. Pillow, where it is installed, makes them smaller.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).parents[2]))

from demo_visitor import VIDEO, Visitor, arriving, free_ports
from playwright.sync_api import sync_playwright

from examples.flask_demo.run import Demo

Scheme = Literal["light", "dark"]
SIZES = ((1280, 800), (320, 568))
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def notice(visitor: Visitor) -> None:
    """The notice, above a page that is there to be read."""
    visitor.read("/en/")


def placeholder(visitor: Visitor) -> None:
    """The place of a video that waits."""
    visitor.read(VIDEO)
    visitor.page.evaluate(
        "const place = document.querySelector('[data-consent-placeholder]').getBoundingClientRect();"
        "scrollBy({top: place.top - Math.max(16, (innerHeight - place.height) / 2), behavior: 'instant'})"
    )


def confirmation(visitor: Visitor) -> None:
    """What is said after an answer."""
    visitor.read("/en/")
    visitor.answer("reject")
    visitor.page.evaluate("scrollTo({top: 0, behavior: 'instant'})")


def preferences(visitor: Visitor) -> None:
    """The page on which every answer can be changed."""
    visitor.read("/consent/")


SUBJECTS: tuple[Callable[[Visitor], None], ...] = (notice, placeholder, confirmation, preferences)


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as made,
        sync_playwright() as playwright,
        Demo(free_ports(), instance=Path(made) / "instance") as demo,
    ):
        for (width, height), scheme, subject in product(SIZES, SCHEMES, SUBJECTS):
            name = f"{subject.__name__}-{width}-{scheme}"
            screen = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
            with arriving(playwright, demo, Path(made) / name, **screen) as visitor:
                subject(visitor)
                visitor.page.wait_for_timeout(300)
                whole = subject is preferences and width > 1000
                picture = _smaller(visitor.page.screenshot(animations="disabled", full_page=whole))
            (folder / f"{name}.png").write_bytes(picture)
            sys.stdout.write(f"{name}.png  {len(picture) / 1024:.0f} KB\n")
    return 0


def _smaller(png: bytes) -> bytes:
    """The same picture in 256 colours, which is enough for flat ones; unchanged without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return png
    small = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
