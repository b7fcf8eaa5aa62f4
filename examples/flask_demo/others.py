"""Stand-ins for the third parties: a video service, a statistics service and a donation service.

They do what the real ones do: serve scripts and frames, set cookies that identify a browser, and count. They listen
on ``localhost`` while the site is on ``127.0.0.1``, so a browser takes them for another site. Every request and
cookie goes into the :class:`Ledger`; nothing leaves the machine.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from consent import Policy
from examples.flask_demo.ledger import Contact, Ledger, now

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FILES: Final = Path(__file__).with_name("stand_ins")
YEAR: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """One third party: its real addresses, as an editor pastes them, and what its stand-in serves at which path.

    ``cookies`` are (name, seconds; ``None`` for the browser session), set on whoever comes without them.
    """

    key: str
    name: str
    addresses: tuple[str, ...]
    cookies: tuple[tuple[str, int | None], ...]
    files: tuple[tuple[str, str, str], ...]


OTHERS: Final = (
    Other(
        key="youtube",
        name="YouTube",
        addresses=("https://www.youtube.com/",),
        cookies=(("VISITOR_INFO1_LIVE", YEAR // 2), ("YSC", None)),
        files=(("/embed/", "youtube/player.html", "text/html"), ("/player.js", "youtube/player.js", "text/javascript")),
    ),
    Other(
        key="matomo",
        name="Matomo",
        addresses=("https://roadstead.matomo.cloud/", "https://cdn.matomo.cloud/roadstead.matomo.cloud/"),
        cookies=(("_pk_uid", YEAR),),
        files=(("/matomo.js", "matomo/matomo.js", "text/javascript"), ("/matomo.php", "matomo/pixel.gif", "image/gif")),
    ),
    Other(
        key="donorbox",
        name="Donorbox",
        addresses=("https://donorbox.org/",),
        cookies=(("_donorbox_session", None), ("__stripe_mid", YEAR)),
        files=(
            ("/widget.js", "donorbox/widget.js", "text/javascript"),
            ("/embed/thanks", "donorbox/thanks.html", "text/html"),
            ("/embed/", "donorbox/form.html", "text/html"),
        ),
    ),
)


def readdress(text: str, origin: str) -> str:
    """The text with each real address replaced by that of its stand-in at ``origin``; without one, as it is."""
    for other in OTHERS if origin else ():
        for real in other.addresses:
            text = text.replace(real, f"{origin}/{other.key}/")
    return text


def standing_in(policy: Policy, origin: str) -> Policy:
    """The policy with the address of each stand-in at ``origin`` added to the service it stands in for."""
    host = origin.partition("//")[2]
    keys = {other.key for other in OTHERS}
    services = (
        replace(service, load=(*service.load, f"{host}/{service.key}/*")) if service.key in keys else service
        for service in policy.services
    )
    return replace(policy, services=tuple(services))


class StandIns:
    """All stand-ins as one WSGI app, each under ``/KEY/``; ``via`` says which site's pages point at this one.

    Answers 404 to what it does not serve, but notes it all the same: a request is a request.
    """

    def __init__(self, ledger: Ledger, *, via: str) -> None:
        self._ledger = ledger
        self._via = via

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        found = _meant(request)
        if found is None:
            return Response("Nobody lives here.", 404)(environ, start_response)
        other, root = found
        path = request.full_path.rstrip("?").removeprefix(root.rstrip("/"))
        response = _answer(other, path)
        given = [(name, secrets.token_hex(8), age) for name, age in other.cookies if name not in request.cookies]
        for name, value, age in given:
            # A cookie in a frame or a sub-request needs both attributes; browsers take plain-http loopback as secure.
            response.set_cookie(name, value, max_age=age, path=root, secure=True, httponly=True, samesite="None")
        self._ledger.note(
            Contact(
                at=now(),
                other=other.key,
                via=self._via,
                method=request.method,
                path=path,
                referrer=request.referrer or "",
                received=tuple(request.cookies.items()),
                given=tuple((name, value) for name, value, _ in given),
            )
        )
        return response(environ, start_response)


def _meant(request: Request) -> tuple[Other, str] | None:
    """The stand-in that is asked, and its root path: by its real host name, as a test may map it here, or ``/KEY/``."""
    for other in OTHERS:
        if any(address.split("/")[2] == request.host for address in other.addresses):
            return other, "/"
        if request.path.startswith(f"/{other.key}/"):
            return other, f"/{other.key}/"
    return None


def _answer(other: Other, path: str) -> Response:
    """The file this stand-in serves at ``path``, never cached, so that each use of it is seen."""
    for prefix, file, mimetype in other.files:
        if path.startswith(prefix):
            response = Response((FILES / file).read_bytes(), mimetype=mimetype)
            response.headers["Cache-Control"] = "no-store"
            return response
    return Response("The stand-in has nothing here.", 404)
