"""A tiny site with our notice, and a third party on another host, for real browsers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from banner_site import ANALYTICS, DONORBOX, OWN, SITE, YOUTUBE, view

from consent.banner import Banner, View
from consent.banner.view import Written
from consent.choice import Choice
from consent.policy import Policy

STRICT = (
    "default-src 'self'; script-src 'self' {third}; object-src 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types {policy}"
)
SCRIPTS = (
    '<script type="text/plain" data-consent-service="google-analytics-4" data-consent-src="{third}/slow.js"></script>\n'
    '<script type="text/plain" data-consent-service="google-analytics-4" defer data-consent-src="{third}/late.js">'
    "</script>\n"
    '<script type="text/plain" data-consent-service="google-analytics-4" data-consent-src="{third}/fast.js"></script>\n'
    '<script type="text/plain" data-consent-service="google-analytics-4" data-consent-type="module" '
    'data-consent-src="{third}/module.js"></script>\n'
    '<img data-consent-service="google-analytics-4" data-consent-src="/pixel" alt="">\n'
)


@dataclass
class Running:
    """The site while it runs: what it answers with next, and everything that was asked of it."""

    port: int = 0
    granted: set[str] = field(default_factory=set)
    reload: bool = False
    posts: list[dict[str, list[str]]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    message: str = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def third(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def policy(self) -> Policy:
        here = f"localhost:{self.port}"
        video = replace(YOUTUBE, load=(here,), embed=f"{self.third}/video/{{id}}")
        return Policy(site=SITE, services=(OWN, DONORBOX, ANALYTICS, video))

    def view(self, locale: str, **changes: Any) -> View:
        choice = Choice(granted=frozenset(self.granted)) if self.posts else Choice.none()
        return view(locale, choice, of=self.policy, next="/page", **changes)

    def page(self, query: dict[str, str]) -> str:
        locale, banner = query.get("lang", "en"), Banner(self.policy)
        seen = self.view(locale)
        top = banner.head(seen)
        if self.message:
            top += banner.confirmation(replace(seen, message=self.message))
            self.message = ""
        elif seen.asking:
            top += banner.notice(seen)
        written = Written(
            service=self.policy.service("youtube"), url=f"{self.third}/video/1", width="560", height="315"
        )
        frame = banner.placeholder(seen, written).decode("ascii")
        if "youtube" in self.granted:
            frame = f'<iframe src="{written.url}" title="Video" width="560" height="315"></iframe>'
        css = f'<link rel="stylesheet" href="/{query["css"]}.css">' if "css" in query else ""
        return (
            f'<!doctype html><html lang="{locale}"><head><meta charset="utf-8"><title>News</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">{css}</head>'
            f"<body>{top.decode('ascii')}"
            f'<main><h1>Ports reopen</h1><p><a id="first" href="/page">A link</a></p>{frame}'
            f'<form action="/page"><label>Search <input name="q" id="q"></label></form>'
            f"{SCRIPTS.format(third=self.third)}"
            f"{banner.declaration(seen).decode('ascii') if 'declared' in query else ''}"
            f"</main><footer>{banner.settings_link(seen).decode('ascii')}</footer></body></html>"
        )

    def answer(self, form: dict[str, list[str]]) -> str:
        """Take the answer as the engine would, without its proofs; returns the message."""
        action = form["action"][0]
        self.posts.append(form)
        if action == "accept":
            self.granted = set(self.policy.current.keys)
        elif action == "save":
            self.granted = set(self.policy.expand(form.get("grant", [])))
        elif action == "always":
            self.granted.add(form["service"][0])
        elif action in ("reject", "withdraw"):
            self.granted = set()
        return {"accept": "accepted", "save": "saved", "always": "embedded", "withdraw": "withdrawn"}.get(
            action, "refused"
        )


class Handler(BaseHTTPRequestHandler):
    site: Running
    styles: dict[str, str]

    def log_message(self, *_: object) -> None:
        """Tests look at ``seen`` instead."""

    def give(
        self, body: str | bytes, kind: str = "text/html; charset=utf-8", status: int = 200, **headers: str
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        site, parts = self.site, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        site.seen.append(f"{self.headers['Host'].partition(':')[0]}{parts.path}")
        banner, path = Banner(site.policy), parts.path
        if path == "/page":
            csp = (
                STRICT.format(third=site.third, policy=query["tt"])
                if "tt" in query
                else "default-src * 'unsafe-inline'"
            )
            self.give(site.page(query), Content_Security_Policy=csp)
        elif path == "/consent/":
            self.give(banner.preferences(site.view(query.get("lang", "en"), message=site.message)))
            site.message = ""
        elif path.startswith("/consent/static/"):
            body, kind = banner.static(path.rpartition("/")[2]) or (b"", "text/plain")
            self.give(body, kind)
        elif path == "/consent/state":
            state = {"granted": sorted(site.granted), "asking": bool(site.view("en").asking)}
            self.give(json.dumps(state), "application/json")
        elif path == "/consent/embed":
            csp = f"default-src 'none'; style-src 'self'; frame-src {site.third}"
            page = banner.wrapper(
                service=query["service"], url=query["url"], title="V", locale="en", prefix="/consent/"
            )
            self.give(page, Content_Security_Policy=csp)
        elif path.endswith(".css"):
            self.give(self.styles.get(path.strip("/").removesuffix(".css"), ""), "text/css")
        elif path.endswith(".js"):
            name = path.strip("/").removesuffix(".js")
            self.give(f"(window.order ??= []).push('{name}')", "text/javascript", Access_Control_Allow_Origin="*")
        else:
            self.give("<!doctype html><title>V</title><p>playing")

    def do_POST(self) -> None:
        site = self.site
        if self.path != "/consent/":
            self.give("", status=404)
            return
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
        if form["action"] == ["once"]:
            site.posts.append(form)
            target = f"/consent/embed?{urlencode({'service': form['service'][0], 'url': form['url'][0]})}"
            self.give("", status=303, Location=target)
            return
        message = "" if form["action"] == ["hide"] else site.answer(form)
        if self.headers.get("X-Consent") != "fetch":
            site.message = message
            self.give("", status=303, Location=form["next"][0])
            return
        html = Banner(site.policy).confirmation(site.view(form["lang"][0], message=message)).decode("ascii")
        site.message = message if site.reload else ""
        body = {"granted": sorted(site.granted), "message": message, "html": html, "reload": site.reload}
        self.give(json.dumps(body), "application/json")


@contextmanager
def running(styles: dict[str, str]) -> Iterator[Running]:
    """The site on a free port of 127.0.0.1, its third party on ``localhost`` beside it."""
    site = Running()
    handler = type("Bound", (Handler,), {"site": site, "styles": styles})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
