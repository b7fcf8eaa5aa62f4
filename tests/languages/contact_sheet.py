"""Draws the notice in every language: ``python tests/languages/contact_sheet.py docs/images`` (`make languages`).

Two pictures, one of small phones and one of desks, each a grid that is labelled by tag.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from consent.banner import Banner, View, static
from consent.locale import AVAILABLE, texts
from consent.policy import Policy, Service, Site
from tests.chromium import launched

SERVICES = (
    Service(key="matomo", category="analytics", name="Matomo", purpose="Counts.", provider="Harbour News Trust"),
    Service(
        key="youtube",
        category="video",
        name="YouTube",
        purpose="Shows films.",
        provider="Google Ireland Limited",
        country="IE",
    ),
)
SIZES = ((320, 568, 10, 0.6), (1280, 300, 3, 0.4))
"""Width and height of a screen, screens in a row, and the scale they are drawn at."""
LABEL = 18


def screen(banner: Banner, policy: Policy, tag: str) -> str:
    """A page with nothing but the notice."""
    notice = banner.notice(View.neutral(policy, locale=tag)).decode("ascii")
    return (
        f'<!doctype html><html lang="{tag}" dir="{texts(tag).direction}"><meta name="viewport" '
        f'content="width=device-width"><style>{static.content("notice.css").decode()}</style>'
        f'<body style="margin:0;font-family:sans-serif">{notice}'
    )


def sheet(pictures: list[tuple[str, Image.Image]], columns: int) -> Image.Image:
    """All of them in a grid, each below its tag."""
    width, height = pictures[0][1].size
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * (width + 8), rows * (height + LABEL + 8)), "#888")
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(13)
    for number, (tag, picture) in enumerate(pictures):
        left, top = number % columns * (width + 8) + 4, number // columns * (height + LABEL + 8) + 4
        pen.text((left, top), tag, fill="white", font=font)
        whole.paste(picture, (left, top + LABEL))
    return whole.quantize(24, dither=Image.Dither.NONE)


def main(folder: Path) -> int:
    policy = Policy(site=Site(name="Harbour News", controller="Harbour News Trust"), services=SERVICES)
    banner = Banner(policy)
    with launched() as browser:
        for width, height, columns, scale in SIZES:
            page = browser.new_page(viewport={"width": width, "height": height})
            pictures = []
            for tag in sorted(AVAILABLE):
                page.set_content(screen(banner, policy, tag))
                drawn = Image.open(BytesIO(page.screenshot())).convert("RGB")
                small = drawn.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
                pictures.append((tag, small))
            target = folder / f"languages-{width}.png"
            sheet(pictures, columns).save(target, optimize=True)
            sys.stdout.write(f"{target.name}  {target.stat().st_size / 1024:.0f} KB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
