"""A site's own templates: any file of ours can be replaced, or put inside one of the site's."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from banner_site import POLICY, view
from werkzeug.test import Client

import consent
from consent.banner import Banner
from consent.banner.view import Written
from consent.choice import Choice
from consent.wsgi import ConsentMiddleware

OURS = Path(consent.__file__).parent / "templates"
NAMES = sorted(path.name for path in OURS.glob("*.html"))
HOWTO = Path(__file__).parents[2] / "docs/howto/theming.md"


def everything(banner: Banner) -> str:
    """All that visitors can be shown, in one string."""
    seen, agreed = view(), view(choice=Choice.granting("youtube"))
    film = Written(service=POLICY.service("youtube"), url="https://www.youtube.com/embed/x")
    shown = [
        banner.head(replace(seen, shared=True)),
        banner.notice(seen),
        banner.confirmation(replace(seen, message="accepted")),
        banner.settings_link(seen),
        banner.placeholder(seen, film),
        banner.embed(agreed, "youtube", "x"),
        banner.declaration(seen),
    ]
    pages = [
        banner.preferences(seen),
        banner.plain(seen, "unknown-action"),
        banner.wrapper(service="youtube", url=film.url, title="", locale="en", prefix="/consent/"),
    ]
    return b"".join(shown).decode() + "".join(pages)


@pytest.mark.parametrize("name", NAMES)
def test_every_template_can_be_replaced(tmp_path: Path, name: str) -> None:
    changed = re.sub(r"<([a-z]\w*)", r"<\1 data-mine", (OURS / name).read_text("utf-8"), count=1)
    (tmp_path / name).write_text(changed, "utf-8")
    own, usual = Banner(POLICY, templates=tmp_path), Banner(POLICY)
    assert "data-mine" in everything(own)
    assert "data-mine" not in everything(usual)
    assert own.version != usual.version, "records say which templates were in effect"


def test_a_sites_template_may_hold_ours(tmp_path: Path) -> None:
    (tmp_path / "notice.html").write_text('<p class="crest">Since 1904</p>{% include "consentry/notice.html" %}')
    own, usual = Banner(POLICY, templates=tmp_path), Banner(POLICY)
    html = own.notice(view())
    assert html.startswith(b'<p class="crest">Since 1904</p><section')
    rest = html.partition(b"</p>")[2].replace(own.artefact(view()).digest.encode(), b"")
    assert rest.strip() == usual.notice(view()).replace(usual.artefact(view()).digest.encode(), b"").strip()
    assert "Since 1904" in own.artefact(view()).content["html"]["notice"], "what was shown is archived"


def test_the_middleware_takes_a_folder(tmp_path: Path) -> None:
    (tmp_path / "settings.html").write_text("<p>Biscuits</p>")

    def app(_: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])  # type: ignore[operator]
        return [b"<!doctype html><html><body><p>News</body></html>"]

    site = {"secret_key": "a secret of the tests", "log": "memory://"}
    own = ConsentMiddleware(app, POLICY, templates=tmp_path, **site)  # type: ignore[arg-type]
    assert "Biscuits" in Client(own).get("/").text
    assert "Biscuits" not in Client(ConsentMiddleware(app, POLICY, **site)).get("/").text  # type: ignore[arg-type]


def test_the_guide_names_every_template() -> None:
    table = HOWTO.read_text("utf-8").partition("| File |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`(\w+\.html)`", table)) == NAMES


def test_template_that_changes_on_a_running_site_is_shown_from_the_next_start(tmp_path: Path) -> None:
    """What is archived as shown is rendered once, so what is shown must be the same until then."""
    file = tmp_path / "notice.html"
    file.write_text("<p>First words {{ digest }}</p>")
    running = Banner(POLICY, templates=tmp_path)
    before = running.notice(view())
    file.write_text("<p>Second words {{ digest }}</p>")
    os.utime(file, (1, 1))
    assert running.notice(view()) == before
    later = Banner(POLICY, templates=tmp_path)
    assert later.notice(view()).startswith(b"<p>Second words")
    assert later.artefact(view()).digest.encode() not in before
