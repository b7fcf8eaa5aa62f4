"""Roadstead, a small news site in English and German, in front of three third parties.

``create_app()`` is the site as its makers would write it; the line ``Consent(app)`` is all that consentry asks of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

from flask import Flask, Response, abort, g, redirect, render_template, request, url_for
from jinja2 import BaseLoader, Environment, FileSystemLoader
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Answer

from consent.config import load
from consent.decision import Recorder
from consent.flask import Consent
from examples.flask_demo.ledger import WITH, WITHOUT, Ledger
from examples.flask_demo.newsroom import LANGUAGES, Newsroom
from examples.flask_demo.others import OTHERS, readdress, standing_in

HERE: Final = Path(__file__).parent
SIZES: Final = ("small", "normal", "large")
HALF_A_YEAR: Final = 184 * 24 * 3600


def create_app(
    *,
    asks_first: bool = True,
    stand_ins: str = "",
    ledger: Ledger | None = None,
    twin: str = "",
    instance: Path | None = None,
    log: Recorder | None = None,
) -> Flask:
    """The site. Without arguments it is what would go live: it asks first and uses the real services.

    ``asks_first=False`` leaves consentry out and changes nothing else. ``stand_ins`` is the origin of stand-ins for
    the services, ``ledger`` what has reached them, ``twin`` the origin of the same site with the opposite
    ``asks_first``, ``instance`` the folder for the log, and ``log`` one that is open already.
    """
    app = Flask(__name__, instance_path=str((instance or HERE / "instance").resolve()))
    app.config["SECRET_KEY"] = "for this demo, which only listens on this machine"
    app.jinja_loader = Readdressed(HERE / "templates", stand_ins)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["readable"] = unquote_plus
    app.jinja_env.filters["rfc822"] = lambda day: format_datetime(datetime.combine(day, time(7), UTC))

    if asks_first and not stand_ins:
        Consent(app, log=log, locale=lambda: g.language)
    elif asks_first:
        Consent(app, policy=standing_in(load(HERE / "consent.toml"), stand_ins), log=log, locale=lambda: g.language)

    newsroom = Newsroom(lambda text: readdress(text, stand_ins))
    _add_pages(app, newsroom)
    _add_ledger(app, ledger)

    @app.context_processor
    def surroundings() -> dict[str, object]:
        return {
            "asks_first": asks_first,
            "in_words": newsroom.in_words,
            "label": newsroom.labels[g.language],
            "language": g.language,
            "languages": LANGUAGES,
            "size": request.cookies.get("text-size", "normal"),
            "sizes": SIZES,
            "twin": twin and f"{twin}{request.path}",
        }

    return app


class Readdressed(BaseLoader):
    """Templates from a folder, with the real addresses in them replaced by those of the stand-ins at ``origin``."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._files = FileSystemLoader(folder)
        self._origin = origin

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, fresh = self._files.get_source(environment, template)
        return readdress(source, self._origin), path, fresh


def _add_pages(app: Flask, newsroom: Newsroom) -> None:
    """What there is to read, and the one setting a reader has."""

    @app.url_value_preprocessor
    def know_the_language(_: str | None, values: dict[str, Any] | None) -> None:
        g.language = (values or {}).pop("language", None) or _language()

    @app.get("/")
    @app.get("/<any(about, donate, privacy):name>")
    def start(name: str = "") -> Answer:
        there = url_for("page", language=g.language, name=name) if name else url_for("front", language=g.language)
        answer = redirect(there)
        answer.vary.update(("Accept-Language", "Referer"))
        return answer

    @app.get("/<any(en, de):language>/")
    def front() -> str:
        return render_template("front.html", articles=newsroom.articles(g.language))

    @app.get("/<any(en, de):language>/<slug>")
    def article(slug: str) -> str:
        found = newsroom.article(g.language, slug) or abort(404)
        others = [other for other in newsroom.articles(g.language) if other is not found]
        return render_template("article.html", article=found, others=others[:3])

    @app.get("/<any(en, de):language>/about", defaults={"name": "about"})
    @app.get("/<any(en, de):language>/donate", defaults={"name": "donate"})
    @app.get("/<any(en, de):language>/privacy", defaults={"name": "privacy"})
    def page(name: str) -> str:
        return render_template(f"{g.language}/{name}.html")

    @app.get("/<any(en, de):language>/feed.xml")
    def feed() -> Response:
        xml = render_template("feed.xml", articles=newsroom.articles(g.language))
        return Response(xml, mimetype="application/rss+xml")

    @app.get("/favicon.ico")
    def icon() -> Answer:
        return app.send_static_file("mark.svg")

    @app.post("/text-size")
    def text_size() -> Answer:
        size, back = request.form.get("size"), request.form.get("back", "/")
        if size not in SIZES or not back.startswith("/") or back.startswith(("//", "/\\")):
            abort(400)
        answer = redirect(back, 303)
        answer.set_cookie("text-size", size, max_age=HALF_A_YEAR, samesite="Lax", httponly=True)
        return answer

    @app.errorhandler(404)
    def not_found(_: NotFound) -> tuple[str, int]:
        return render_template("missing.html"), 404


def _language() -> str:
    """The language of this address, else of the page the reader comes from, else the browser's."""
    came_from = urlsplit(request.referrer or "")
    paths = [request.path, came_from.path if came_from.netloc == request.host else ""]
    named = [path.split("/")[1] for path in paths if path.startswith("/")]
    found = next((language for language in named if language in LANGUAGES), None)
    return found or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _add_ledger(app: Flask, ledger: Ledger | None) -> None:
    """The page that shows what the third parties saw."""

    def seen(template: str) -> str:
        return render_template(template, ledger=ledger, others=OTHERS, ways=(WITH, WITHOUT))

    @app.get("/<any(en, de):language>/what-the-others-saw")
    def what_the_others_saw() -> str:
        return seen("seen.html")

    @app.get("/<any(en, de):language>/what-the-others-saw/list")
    def seen_list() -> str:
        return seen("seen_list.html")

    @app.post("/<any(en, de):language>/what-the-others-saw")
    def forget() -> Answer:
        if ledger:
            ledger.clear()
        return redirect(url_for("what_the_others_saw", language=g.language), 303)
