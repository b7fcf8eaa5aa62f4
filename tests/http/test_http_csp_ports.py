"""One's own hosts on other ports, such as a development server's: let in where the gate lets them in."""

from __future__ import annotations

import pytest

from consent import Choice, Policy, Signals, csp, decide
from consent.policy import Ask, Site


def hosts(host: str, *own: str) -> list[str]:
    policy = Policy(site=Site(name="Harbour", controller="Trust", hosts=own), services=(), ask=Ask())
    value = csp.tightening(policy, decide(policy, Choice.none(), Signals()), host=host)
    return value.split(" 'unsafe-inline'")[0].split()[2:]


@pytest.mark.parametrize("host", ["localhost:5000", "localhost", "LOCALHOST:5000"])
def test_development_server_on_another_port_is_ones_own(host: str) -> None:
    assert hosts(host) == ["localhost:*", "ws://localhost:*"]


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "127.0.0.1", "app.localhost", "harbour.example:8443"])
def test_every_port_is_ones_own_where_the_page_has_one_or_is_on_the_loopback(host: str) -> None:
    name = host.partition(":")[0]
    assert hosts(host, name, "cdn.harbour.example")[:2] == [f"{name}:*", "cdn.harbour.example:*"]


def test_site_on_the_usual_port_names_no_ports() -> None:
    assert hosts("harbour.example", "harbour.example", "cdn.harbour.example")[:1] == ["cdn.harbour.example"]
    assert hosts("notlocalhost", "127.0.0.1.example") == ["127.0.0.1.example", "ws://127.0.0.1.example"]


@pytest.mark.parametrize("host", ["*:1", "a b:1", "x;script-src *:1", "a,b:1", "[::1]:5000", "*.shop.example:1", ":1"])
def test_host_that_is_none_is_not_repeated(host: str) -> None:
    assert hosts(host) == []
