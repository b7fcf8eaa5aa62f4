"""The second policy: it names hosts and nothing else, and never one of a service that is denied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Choice, Policy, Service, Signals, csp, decide
from consent.policy import Ask, Site


def service(key: str, *load: str) -> Service:
    return Service(key=key, category="analytics", name=key, purpose="Counts.", load=load)


def made(*services: Service, hosts: tuple[str, ...] = (), **ask: str) -> Policy:
    return Policy(site=Site(name="Harbour", controller="Trust", hosts=hosts), services=services, ask=Ask(**ask))


def value(policy: Policy, *granted: str, host: str = "harbour.example", report_uri: str = "") -> str:
    permissions = decide(policy, Choice.granting(*granted), Signals())
    return csp.tightening(policy, permissions, host=host, report_uri=report_uri)


def sources(policy: Policy, *granted: str) -> set[str]:
    """The hosts that are named; those for sockets are the same, or none where there is no room for them."""
    words = value(policy, *granted).split()
    named = {word for word in words[1:] if "'" not in word and word not in ("data:", "blob:")}
    plain = {word for word in named if not word.startswith("ws://")}
    assert named - plain in (set(), {f"ws://{word}" for word in plain})
    return plain


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("stats.example", {"stats.example"}),
        ("*.stats.example", {"*.stats.example"}),
        ("https://Stats.Example./x.js", {"stats.example/x.js", "stats.example/x.js/"}),
        ("stats.example/js/*", {"stats.example/js/"}),
        ("stats.example/js/", {"stats.example/js/"}),
        ("stats.example/tr?id=*", {"stats.example/tr", "stats.example/tr/"}),
        ("stats.example:8443", {"stats.example:8443"}),
        ("[::1]:8080", {"[::1]:8080"}),
        ("bücher.example", {"xn--bcher-kva.example"}),
        ("cdn*.stats.example", {"*.stats.example"}),
        ("www.google.*", set()),
        ("*", set()),
        ("*.example", set()),
        ("*/matomo.js", set()),
        ("stats.example; script-src *", set()),
        ("stats.example, *", set()),
    ],
)
def test_a_pattern_becomes_a_source_or_is_left_out(pattern: str, expected: set[str]) -> None:
    policy = made(service("stats", pattern))
    assert sources(policy, "stats") == expected
    assert sources(policy) == set()


def test_a_whole_host_makes_its_paths_needless() -> None:
    assert sources(made(service("stats", "stats.example", "stats.example/js/*")), "stats") == {"stats.example"}


def test_sockets_of_what_is_granted_pass_and_of_nothing_else() -> None:
    policy = made(service("chat", "chat.example"), service("stats", "stats.example/js/*"))
    assert " ws://chat.example " in value(policy, "chat")
    assert " ws://stats.example/js/ " in value(policy, "stats")
    assert "ws://" not in value(policy)
    assert "stats.example" not in value(policy, "chat")


def test_the_sites_own_hosts_are_there_once_and_the_pages_own_is_self() -> None:
    policy = made(hosts=("harbour.example", "cdn.harbour.example"))
    assert value(policy, report_uri="/consent/report") == (
        "default-src 'self' cdn.harbour.example ws://cdn.harbour.example 'unsafe-inline' 'unsafe-eval' data: blob:; "
        "report-uri /consent/report"
    )


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        ({}, "Content-Security-Policy"),
        ({"csp": "report-only"}, "Content-Security-Policy-Report-Only"),
        ({"undeclared": "report"}, "Content-Security-Policy-Report-Only"),
        ({"undeclared": "allow"}, "Content-Security-Policy-Report-Only"),
        ({"csp": "off"}, None),
    ],
)
def test_it_is_enforced_only_where_nothing_undeclared_passes(ask: dict[str, str], name: str | None) -> None:
    assert csp.header_name(made(**ask)) == name


MANY = tuple(service(f"s{n}", f"a-rather-long-name-{n}.of-provider-{n}.example/js/v1/*") for n in range(90))


def test_what_does_not_fit_is_said_without_paths_and_then_left_out() -> None:
    granted = [one.key for one in MANY]
    few = value(made(*MANY[:20]), *granted[:20])
    assert "/js/v1/" in few
    assert " ws://a-rather-long-name-19.of-provider-19.example/js/v1/ " in few
    shorter = value(made(*MANY), *granted)
    assert "/js/" not in shorter
    assert "ws://" not in shorter, "sockets are what is left out first"
    assert "a-rather-long-name-89.of-provider-89.example" in shorter
    more = tuple(service(f"t{n}", f"another-rather-long-name-{n}.of-provider-{n}.example") for n in range(60))
    cut = value(made(*MANY, *more), *granted, *(one.key for one in more))
    assert len(cut) <= csp.LONGEST
    assert "of-provider-89.example" in cut
    assert "another-rather-long-name-59." not in cut
    assert cut.endswith("'unsafe-inline' 'unsafe-eval' data: blob:")


def test_no_want_of_room_lets_in_a_denied_sibling() -> None:
    siblings = (service("good", "a.shared.example", "b.shared.example"), service("bad", "c.shared.example"))
    other = service("other", f"{MANY[0].load[0].partition('/')[0]}/other/*")
    policy = made(*MANY, *siblings, other)
    granted = [one.key for one in (*MANY, siblings[0])]
    assert len(" ".join(one.load[0] for one in MANY)) > csp.LONGEST
    found = sources(policy, *granted)
    assert not {"*.shared.example", "c.shared.example", MANY[0].load[0].partition("/")[0]} & found
    assert sources(policy, "bad") == {"c.shared.example"}


NAMES = st.sampled_from(
    ["a.x.example", "*.x.example", "b.x.example/js/*", "y.example", "c.co.uk", "d.co.uk", "www.z.*"]
)


@given(patterns=st.lists(NAMES, min_size=1, max_size=6, unique=True), data=st.data())
def test_fewer_grants_never_name_more_hosts(patterns: list[str], data: st.DataObject) -> None:
    policy = made(*(service(f"s{n}", pattern) for n, pattern in enumerate(patterns)))
    keys = [one.key for one in policy.services]
    more = data.draw(st.sets(st.sampled_from(keys)))
    fewer = data.draw(st.sets(st.sampled_from(sorted(more)))) if more else set()
    wide, narrow = sources(policy, *more), sources(policy, *fewer)
    assert all(one in wide or one.partition("/")[0] in wide for one in narrow)


def test_the_page_around_an_embed_lets_in_its_service_alone() -> None:
    policy = csp.for_embed(service("video", "*.video.example/embed/*"), "https://user@player.video.example/e/1")
    assert "frame-src https://player.video.example *.video.example;" in policy
    odd = csp.for_embed(service("video", "*.video.example"), "https://a;script-src b,c.video.example:81/e/1")
    assert "frame-src https://a%3Bscript-src%20b%2Cc.video.example:81 *.video.example;" in odd
    assert "frame-src http://[::1]:81 " in csp.for_embed(service("video", "*.video.example"), "http://[::1]:81/")
    assert policy.startswith("default-src 'none'")
