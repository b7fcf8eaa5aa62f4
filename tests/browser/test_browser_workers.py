"""A site's own workers run outside of its pages, under the policy that they come with themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from harbour_server import serving
from playwright.sync_api import Browser

from consent import Policy, Service
from consent.policy import Site
from consent.wsgi import ConsentMiddleware

pytestmark = pytest.mark.browser

PAGE = b"<!doctype html><html lang=en><title>News</title><body><script src=/page.js></script></body></html>"
KINDS = ("dedicated", "shared", "service")
PAGE_JS = """
const said = [];
const hear = event => { said.push(event.data); document.title = said.sort().join(" "); };
new Worker("/dedicated.js").onmessage = hear;
const shared = new SharedWorker("/shared.js");
shared.port.onmessage = hear;
navigator.serviceWorker.onmessage = hear;
navigator.serviceWorker.register("/service.js").then(async () => {
  (await navigator.serviceWorker.ready).active.postMessage("go");
});
"""
WORKER_JS = """
const tell = port => Promise.all(HOSTS.map(host => fetch(`http://${host}/KIND`, { mode: "no-cors" }).catch(() => 0)))
  .then(() => { try { importScripts(`http://${HOSTS[0]}/KIND`); } catch {} port.postMessage("KIND"); });
if ("KIND" === "dedicated") tell(self);
if ("KIND" === "shared") onconnect = event => tell(event.ports[0]);
if ("KIND" === "service") onmessage = event => event.waitUntil(tell(event.source));
"""
TOLD = "() => document.title.endsWith('dedicated service shared')"


@dataclass
class Harbour:
    """A site with workers, and who heard of them."""

    port: int = 0
    heard: list[str] = field(default_factory=list)

    def site(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        name = environ["PATH_INFO"].strip("/").removesuffix(".js")
        if name not in (*KINDS, "page"):
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
            return [PAGE]
        start_response("200 OK", [("Content-Type", "text/javascript")])
        hosts = f"const HOSTS = ['stats.example:{self.port}', 'nobody.example:{self.port}'];"
        return [(PAGE_JS if name == "page" else hosts + WORKER_JS.replace("KIND", name)).encode()]

    def other(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.heard.append(f"{environ['HTTP_HOST'].partition('.')[0]}{environ['PATH_INFO']}")
        start_response("200 OK", [("Content-Type", "text/javascript"), ("Access-Control-Allow-Origin", "*")])
        return [b"1"]


@pytest.fixture
def harbour() -> Iterator[Harbour]:
    harbour = Harbour()
    with serving(harbour.other) as harbour.port:
        yield harbour


def told(harbour: Harbour, browser: Browser, app: Any, *, accepts: bool = False) -> set[str]:
    """Who hears of the workers of the site that ``app`` serves, to somebody who accepts or doesn't answer."""
    with serving(app) as port, browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://localhost:{port}/")
        if accepts:
            page.wait_for_function("() => window.consent")
            with page.expect_navigation():
                page.locator("[data-consent-action=accept]").click()
            page.wait_for_function(TOLD)
            harbour.heard.clear()
            page.goto(f"http://localhost:{port}/again")
        page.wait_for_function(TOLD)
        return set(harbour.heard)


def test_workers_tell_nobody_who_is_refused(harbour: Harbour, browser: Browser) -> None:
    stats = Service(
        key="stats", category="analytics", name="Stats", purpose="Counts.", provider="Stats Ltd", country="IE",
        load=(f"stats.example:{harbour.port}",),
    )  # fmt: skip
    policy = Policy(site=Site(name="Harbour", controller="Trust", contact="p@h.example"), services=(stats,))
    gated = ConsentMiddleware(harbour.site, policy, secret_key="a secret of the tests", log="memory://")
    everybody = {f"{who}/{kind}" for who in ("stats", "nobody") for kind in KINDS}
    assert told(harbour, browser, harbour.site) == everybody, "the control"
    harbour.heard.clear()
    assert told(harbour, browser, gated) == {"stats/service"}, "a service worker stays when an answer changes"
    harbour.heard.clear()
    assert told(harbour, browser, gated, accepts=True) == {f"stats/{kind}" for kind in KINDS}
