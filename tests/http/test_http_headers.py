"""Header fields: cookies with odd neighbours, signals, expiry, caching and validators."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Choice, Policy, Service, Signals, StorageItem, decide, headers
from consent.headers import CookieRules
from consent.policy import Site

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = Policy(
    site=Site(name="Harbour", controller="Harbour Trust"),
    services=(
        Service(
            key="stats",
            category="analytics",
            name="Stats",
            purpose="Counts.",
            storage=(
                StorageItem(name="_pk_id*", days=393),
                StorageItem(name="shared", days=1),
                StorageItem(name="deep", days=1, path="/deep", domain="stats.news.example"),
                StorageItem(name="key", kind="local_storage"),
            ),
        ),
        Service(
            key="session",
            category="necessary",
            legal_basis="necessary",
            name="Session",
            purpose="Signs in.",
            storage=(StorageItem(name="shared"), StorageItem(name="session")),
        ),
    ),
)
RULES = CookieRules(POLICY)
REFUSED = decide(POLICY, Choice.refusing(), Signals())
GRANTED = decide(POLICY, Choice.granting("stats"), Signals())


@pytest.mark.parametrize(
    "jar",
    [
        "consent=good",
        "b[]=2; consent=good",
        "\xe4=\xe4; consent=good; \xe4",
        'a="1; consent=good; b=2"',
        "a=; =b; c; consent=good;;",
        "consent=good; a={json: [1,2]}",
        "  consent = good  ",
    ],
)
def test_our_cookie_is_found_among_odd_neighbours(jar: str) -> None:
    assert headers.cookie_values(jar, "consent") == ["good"]


@given(jar=st.text())
def test_any_jar_is_read_without_an_error_and_hiding_nothing_changes_nothing(jar: str) -> None:
    list(headers.cookies(jar))
    assert headers.hide_cookies(jar, lambda _: False) == jar


def test_hiding_a_cookie_leaves_the_others_as_they_were() -> None:
    jar = "b[]=2; _pk_id.1=abc; \xe4=1; c=3"
    assert headers.hide_cookies(jar, lambda name: RULES.denies(name, REFUSED)) == "b[]=2; \xe4=1; c=3"
    assert headers.hide_cookies(jar, lambda name: RULES.denies(name, GRANTED)) == jar


def test_a_cookie_passes_if_any_service_that_declares_it_may_run() -> None:
    assert RULES.denies("_pk_id.4.1fff", REFUSED)
    assert not RULES.denies("_pk_id.4.1fff", GRANTED)
    assert not RULES.denies("shared", REFUSED)
    assert not RULES.denies("never-declared", REFUSED)
    assert not RULES.denies("key", REFUSED)  # not a cookie


@pytest.mark.parametrize(
    ("field", "heard"),
    [
        ("1", True),
        (" 1", True),
        ("0, 1", True),
        ("0", False),
        ("true", False),
        ("1x", False),
        ("", False),
        (None, False),
        ("11", False),
    ],
)
def test_global_privacy_control_is_exactly_one(field: str | None, heard: bool) -> None:
    assert headers.signals(field, None).gpc is heard
    assert headers.signals(None, field).dnt is heard


@pytest.mark.parametrize(
    ("field", "deletes"),
    [
        ("a=1", False),
        ("a=; Max-Age=0", True),
        ("a=1; max-age=-5; Expires=Fri, 01 Jan 2100 00:00:00 GMT", True),
        ("a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("a=1; expires=Thu, 01-Jan-1970 00:00:00 GMT", True),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", False),
        ("a=1; Expires=nonsense", False),
        ("a=1; Max-Age=soon", False),
        ("a=; Max-Age=-0", True),
        ("a=; Max-Age=000", True),
        ("a=1; Max-Age=0; Max-Age=60", False),
        ("a=; Max-Age=0; Max-Age=soon", True),
        ("a=1; Max-Age=99999999999999999999999999", False),
        ("a=; expires=Thu Jan 01 1970 00:00:00 GMT+0000 (UTC)", True),
        ("a=; Expires=00:00:00 1 1 Jan 1980", True),
        ("a=1; Expires=Thu, 01 Jan 1970", False),  # no time: browsers pass over it, and the cookie stays
        ("a=1; Expires=Thu, 01-Jan-69 00:00:00 GMT", False),  # 2069
        ("a=1; Expires=Thu, 01-Jan-70 00:00:00 GMT", True),
        ("a=1; Expires=Mon, 01 Jan 1600 00:00:00 GMT", False),
        ("a=1; Expires=Mon, 31 Feb 2020 00:00:00 GMT", False),
        ("a=1; Expires=Mon, 01 Jan 2020 24:00:00 GMT", False),
        ("a=1; Expires=0", False),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=Fri, 01 Jan 2100 00:00:00 GMT", False),
        ("a=; \tMax-Age =\t0 ", True),
        # Only blanks and tabs are passed over in front of a word, and no attribute may be of any length.
        ("a=1; \xa0Max-Age=0", False),
        ("a=1; Max-Age=\xa00", False),
        ("a=1; \x85Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        (f"a=; Max-Age={'0' * 1024}", True),
        (f"a=1; Max-Age={'0' * 1025}", False),
        (f"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT{' ' * 1024}x", False),
    ],
)
def test_a_deletion_is_told_from_a_setting(field: str, deletes: bool) -> None:
    assert headers.deletes(field, now=NOW) is deletes


@given(text=st.text())
def test_any_date_is_read_without_an_error(text: str) -> None:
    assert headers.deletes(f"a=; Expires={text}", now=NOW) in (True, False)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("a=b", "a"),
        (" a = b ; Path=/", "a"),
        ("a", ""),
        ("=a", ""),
        ("=a=b", "a"),  # browsers send it back as "a=b"
        ("", ""),
    ],
)
def test_the_name_of_a_cookie_is_what_it_comes_back_under(field: str, name: str) -> None:
    assert headers.cookie_name(field) == name


@pytest.mark.parametrize(
    ("values", "saved"),
    [
        (["attachment"], True),
        (['ATTACHMENT; filename="a.html"'], True),
        ([" attachment ;filename=a.html"], True),
        ([], False),
        (["inline"], False),
        (["attachment filename=a.html"], False),  # no token, so browsers show it
        (["attachment=1"], False),
        (["\tattachment\t;filename=a.html"], True),
        *[([f"attachment{space};filename=a.html"], False) for space in "\xa0\x85\x0b\x0c"],
        *[([f"{space}attachment"], False) for space in "\xa0\x85\x0b\x0c"],
        (["attachment", "inline"], False),
    ],
)
def test_a_download_is_what_browsers_save(values: list[str], saved: bool) -> None:
    assert headers.is_download([("Content-Disposition", value) for value in values]) is saved


def test_expiry_covers_the_host_and_its_parents_with_and_without_partitions() -> None:
    fields = [v for _, v in headers.expirations(["_pk_id.1"], RULES, host="www.news.example", secure=True)]
    assert len(fields) == 6
    assert {("Domain" in field, "Partitioned" in field) for field in fields} == {
        (False, False), (False, True), (True, False), (True, True),
    }  # fmt: skip
    assert {part for field in fields for part in field.split("; ") if part.startswith("Domain")} == {
        "Domain=www.news.example",
        "Domain=news.example",
    }
    assert all("Max-Age=0" in field and "Path=/" in field for field in fields)


def test_expiry_follows_the_declared_path_and_domain() -> None:
    fields = [value for _, value in headers.expirations(["deep"], RULES, host="news.example", secure=False)]
    assert any("Path=/deep" in field and "Domain=stats.news.example" in field for field in fields)
    assert not any("Partitioned" in field for field in fields)


def test_expiry_never_spends_more_than_its_budget() -> None:
    names = [f"_pk_id.{number}" for number in range(500)]
    fields = headers.expirations(names, RULES, host="a.b.c.news.example", secure=True)
    assert 0 < sum(len(value) + len("Set-Cookie: \r\n") for _, value in fields) <= headers.EXPIRY_BUDGET


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_an_address_has_no_parent_domains(host: str) -> None:
    fields = headers.expirations(["_pk_id.1"], RULES, host=host, secure=False)
    assert len(fields) == 1
    assert "Domain" not in fields[0][1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], "private"),
        ([("Cache-Control", "public, max-age=60")], "private, max-age=60"),
        ([("Cache-Control", "no-store")], "no-store"),
        ([("Cache-Control", "s-maxage=600"), ("cache-control", "max-age=5")], "private, max-age=5"),
        ([("Cache-Control", 'private="set-cookie", max-age=5')], 'private, private="set-cookie", max-age=5'),
    ],
)
def test_pages_are_private_whatever_the_application_said(before: list[tuple[str, str]], after: str) -> None:
    fields = headers.private(
        [*before, ("Surrogate-Control", "max-age=9"), ("CDN-Cache-Control", "max-age=9")], ["Cookie"]
    )
    assert headers.first(fields, "cache-control") == after
    assert {name.lower() for name, _ in fields} == {"cache-control", "vary"}


def test_vary_keeps_what_was_there_once() -> None:
    fields = headers.private([("Vary", "Accept-Encoding, cookie"), ("Vary", "Origin")], ["Cookie", "Sec-GPC"])
    assert headers.first(fields, "vary") == "Accept-Encoding, cookie, Origin, Sec-GPC"
    assert headers.first(headers.private([("Vary", "*")], ["Cookie"]), "vary") == "*"


def test_validators_of_another_variant_are_not_honoured() -> None:
    mine, theirs = (headers.tag_variant('"abc"', variant) for variant in ("aaaa", "bbbb"))
    assert mine == 'W/"abc;aaaa"'
    assert headers.own_validators(f"{theirs}, {mine}", "aaaa") == '"abc", W/"abc"'
    assert headers.own_validators(theirs, "aaaa") == ""
    assert headers.own_validators('*, "abc"', "aaaa") == ""
    assert headers.tag_variant("garbage", "aaaa") == 'W/";aaaa"'


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ('W/"v1;0123456789"', '"v1"'), ('"v1;0123456789"', '"v1"'), ('W/"a;b;0123456789", *', '"a;b", *'),
        ('W/";0123456789"', '""'), ("*", "*"), ('"v1"', '"v1"'), ('W/"v1"', 'W/"v1"'),
        ('"v1;012345678x"', '"v1;012345678x"'),
        ('"v1;01234567890"', '"v1;01234567890"'), ("v1;0123456789", "v1;0123456789"), ("", ""),
    ],
)  # fmt: skip
def test_whoever_writes_sends_the_tags_that_the_application_knows(sent: str, known: str) -> None:
    assert headers.original_tags(sent) == known


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5, zstd", True),
        ("x-gzip", True),
        ("*", True),
        ("br;q=1, *;q=0.1", True),
        ("identity;q=0, gzip ; Q=1.000", True),
        ("*;q=0, gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("br, gzip; q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("br", False),
        ("notgzip, gzipped", False),
        ("gzip;q=lots", False),
        ("gzip;level=9", False),
        (" , ,", False),
    ],
)
def test_gzip_is_taken_where_its_weight_is_not_zero(accepted: str, takes: bool) -> None:
    assert headers.takes_gzip(accepted) is takes
