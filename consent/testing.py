"""For the tests of a site: visitors who have already answered."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from consent.choice import Choice
from consent.engine import Engine
from consent.exchange import Request


def grant(client: Any, *keys: str, app: Any = None, base_url: str = "") -> None:
    """Give a Flask, werkzeug or Django test client the cookie of a visitor who granted these services or categories.

    Everything else counts as refused; ``grant(client)`` is a visitor who refused all. ``app`` is the application or
    middleware where the client doesn't know it; ``base_url`` is where the client will say that it is,
    by default what its application is configured for, else ``http://localhost/``. Writes no
    record. An unknown key raises :class:`consent.errors.UnknownKeyError`.
    """
    application = app if app is not None else _application(client)
    engine = _engine(application)
    for key in keys:
        engine.policy.services_of(key)
    named = getattr(application, "config", {}).get("SERVER_NAME") if hasattr(application, "extensions") else None
    host = urlsplit(base_url).netloc or named or "localhost"
    if not hasattr(client, "set_cookie"):
        host = client.defaults.get("SERVER_NAME", "testserver")  # Django's
    for scheme in ("http", "https"):
        request = Request(method="GET", scheme=scheme, host=host, path="/")
        (_, field), = engine.jar.write(Choice.granting(*keys), request, today=engine.today())  # fmt: skip
        name, _, value = field.partition(";")[0].partition("=")
        if hasattr(client, "set_cookie"):
            client.set_cookie(name, value, domain=request.hostname, secure=scheme == "https", httponly=True)
        else:
            client.cookies[name] = value


def refuse(client: Any, *, app: Any = None, base_url: str = "") -> None:
    """Give a test client the cookie of a visitor who refused everything."""
    grant(client, app=app, base_url=base_url)


def _application(client: Any) -> Any:
    application = getattr(client, "application", None)
    if application is not None:
        return application
    settings = import_module("django.conf").settings
    module, _, name = settings.WSGI_APPLICATION.rpartition(".")
    return getattr(import_module(module), name)


def _engine(app: Any) -> Engine:
    extension = getattr(app, "extensions", {}).get("consent")
    engine = getattr(extension if extension is not None else app, "engine", None)
    if isinstance(engine, Engine):
        return engine
    inner = getattr(app, "app", None) or getattr(app, "wsgi_app", None)
    if inner is None:
        raise LookupError("This client's application has no ConsentMiddleware in it. Pass it as app=….")
    return _engine(inner)
