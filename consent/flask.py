"""Flask: one line to adopt, ``Consent(app)``; templates get ``consent``, views get ``g.consent``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import flask
from markupsafe import Markup

from consent.config import load
from consent.decision import Recorder
from consent.engine import Engine
from consent.errors import ConfigError
from consent.policy import Policy
from consent.visit import Visit
from consent.wsgi import Gateway


class Page:
    """What ``consent`` is in templates and ``g.consent`` in views: this visitor's permissions and pieces of page.

    Outside a visit (in mail templates, in background tasks) nothing is allowed and every piece is empty.
    """

    __slots__ = ()

    def allows(self, key: str) -> bool:
        """Whether the service, or every service of the category, may run for this visitor."""
        visit = _visit()
        return visit is not None and visit.allows(key)

    def notice(self) -> Markup:
        """The notice or the confirmation; empty when there is nothing to ask."""
        visit = _visit()
        return Markup(visit.notice() if visit is not None else "")  # noqa: S704 — made by the banner, which escapes

    def settings_link(self) -> Markup:
        """The link to the preferences page."""
        visit = _visit()
        return Markup(visit.settings_link() if visit is not None else "")  # noqa: S704

    def embed(self, key: str, ident_or_url: str, **attributes: str) -> Markup:
        """A service's embed if it is allowed, else its placeholder: ``consent.embed("youtube", "dQw4w9WgXcQ")``."""
        visit = _visit()
        return Markup(visit.embed(key, ident_or_url, **attributes) if visit is not None else "")  # noqa: S704

    def declaration(self) -> Markup:
        """The table of all services and what they store."""
        visit = _visit()
        return Markup(visit.declaration() if visit is not None else "")  # noqa: S704


@dataclass(slots=True)
class _Site:
    """One application's consent; the engine begins with the first request if the secret key isn't set before."""

    policy: Policy
    secret_key: str | bytes | Sequence[str | bytes] | None
    log: str | Recorder
    app: flask.Flask
    templates: Path | None = None
    locale: Callable[[], str | None] | None = None
    _engine: Engine | None = None
    _settings: tuple[Any, ...] = ()
    _lock: Any = field(default_factory=Lock)

    @property
    def engine(self) -> Engine:
        """The engine for the application's present config, which may change after :meth:`Consent.init_app`."""
        keys, https = self.secret_key or _keys_of(self.app), self.app.config.get("CONSENT_HTTPS", "auto")
        if self._engine is None or self._settings != (keys, https):
            with self._lock:
                if self._engine is None or self._settings != (keys, https):
                    self._engine = Engine.starting(
                        self.policy,
                        secret_key=keys,
                        log=self._engine.recorder if self._engine else self.log,
                        https=https,
                        debug=self.app.debug,
                        templates=self.templates,
                    )
                    self._settings = (keys, https)
        return self._engine


class Consent:
    """Adds consent to a Flask application.

    ``policy`` is a :class:`Policy` or a path, by default ``consent.toml`` beside the application; ``secret_key`` by
    default the application's ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``; ``log`` by default ``consent.db`` in the
    instance folder; ``templates`` a folder whose files replace ours of the same name; ``locale`` is called for the
    language of the present page, by default Flask-Babel's where it is used. Set ``CONSENT_HTTPS = True`` in
    the application's config behind a proxy that ends TLS. Raises :class:`ConfigError` at start-up if the policy is
    wrong.
    """

    def __init__(
        self,
        app: flask.Flask | None = None,
        *,
        policy: Policy | str | Path | None = None,
        secret_key: str | bytes | Sequence[str | bytes] | None = None,
        log: str | Recorder | None = None,
        templates: Path | None = None,
        locale: Callable[[], str | None] | None = None,
    ) -> None:
        self._policy = policy
        self._secret_key = secret_key
        self._log = log
        self._templates = templates
        self._locale = locale
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Add consent to ``app``: for application factories. The application's own config may still change after."""
        if "consent" in app.extensions:
            raise ConfigError.of("E905", "This application already has consent.", "Call Consent(app) once.")
        policy = self._policy if self._policy is not None else Path(app.root_path) / "consent.toml"
        site = _Site(
            policy=policy if isinstance(policy, Policy) else load(policy),
            secret_key=self._secret_key,
            log=self._log or _instance_log(app),
            app=app,
            templates=self._templates,
            locale=self._locale,
        )
        if self._secret_key or app.config.get("SECRET_KEY"):
            _ = site.engine  # whatever is wrong is said now, not to the first visitor
        app.extensions["consent"] = site
        app.wsgi_app = Gateway(app.wsgi_app, lambda: site.engine)  # type: ignore[method-assign]
        app.jinja_env.globals["consent"] = Page()  # a global, so that imported macros have it too
        app.before_request_funcs.setdefault(None, []).insert(0, _remember)
        app.after_request_funcs.setdefault(None, []).append(_speak)


def _remember() -> None:
    flask.g.consent = Page()


def _speak(response: flask.Response) -> flask.Response:
    """Take the application's language along, also for a page whose template says nothing of consent."""
    if response.mimetype == "text/html":
        _visit()
    return response


def _visit() -> Visit | None:
    """The visit that this request belongs to, with what only the application knows of it."""
    if not flask.has_request_context():
        return None
    visit: Visit | None = flask.request.environ.get("consent.visit")
    if visit is None:
        return None
    visit.app_locale = visit.app_locale or _app_locale()
    if visit.permissions.debug is not flask.current_app.debug:
        visit.permissions = replace(visit.permissions, debug=flask.current_app.debug)
    return visit


def _app_locale() -> str | None:
    """The language of the page that is being made, where the application says it or uses Flask-Babel."""
    site: _Site = flask.current_app.extensions["consent"]
    if site.locale is not None:
        return site.locale()
    extension = flask.current_app.extensions.get("babel")
    if extension is None:
        return None
    from flask_babel import get_locale  # type: ignore[import-untyped, import-not-found, unused-ignore]

    chosen = get_locale()
    return str(chosen).replace("_", "-") if chosen is not None else None


def _keys_of(app: flask.Flask) -> list[str | bytes]:
    key = app.config.get("SECRET_KEY")
    return [key, *(app.config.get("SECRET_KEY_FALLBACKS") or ())] if key else []


def _instance_log(app: flask.Flask) -> str:
    folder = Path(app.instance_path)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'consent.db'}"
