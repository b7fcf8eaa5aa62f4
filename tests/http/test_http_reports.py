"""What is read of a browser's report about the second policy, and how little of it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.reports import MOST, read

LEGACY = "application/csp-report"
REPORTING = "application/reports+json"


def legacy(**body: Any) -> bytes:
    return json.dumps({"csp-report": body}).encode()


def reporting(*bodies: dict[str, Any], kind: str = "csp-violation") -> bytes:
    return json.dumps([{"type": kind, "age": 1, "url": "https://n.example/secret", "body": b} for b in bodies]).encode()


def said(kind: str, body: bytes) -> list[str]:
    return [str(violation) for violation in read(kind, body)]


def test_both_ways_to_report_say_the_directive_and_the_host() -> None:
    blocked = "https://www.evil.example/a?visitor=7#x"
    old = legacy(
        **{"document-uri": "https://n.example/secret", "blocked-uri": blocked, "violated-directive": "img-src"}
    )
    new = reporting({"documentURL": "https://n.example/secret", "blockedURL": blocked, "effectiveDirective": "img-src"})
    assert said(LEGACY, old) == said(REPORTING, new) == ["img-src www.evil.example"]
    assert said(f"{LEGACY}; charset=utf-8", old) == ["img-src www.evil.example"]
    assert said("application/json", old) == ["img-src www.evil.example"]  # as some browsers call it


@pytest.mark.parametrize(
    ("blocked", "host"),
    [
        ("wss://a.example:8443/x", "a.example:8443"), ("https://a.example:443/", "a.example"),
        ("http://a.example.", "a.example"),
        ("https://[2001:db8::1]/", "[2001:db8::1]"), ("HTTPS://USER:pw@A.example/", "a.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_host_is_what_was_blocked(blocked: str, host: str) -> None:
    assert said(LEGACY, legacy(**{"blocked-uri": blocked, "effective-directive": "font-src"})) == [f"font-src {host}"]


@pytest.mark.parametrize(
    "blocked", ["inline", "eval", "data", "blob", "self", "", "https://", "https://a b/", "file:///etc", "about:blank",
                "https://a.example:x/", "https://[::1", "https://" + "a" * 300 + ".example/"],
)  # fmt: skip
def test_what_has_no_host_is_not_a_violation_of_ours(blocked: str) -> None:
    assert said(LEGACY, legacy(**{"blocked-uri": blocked, "effective-directive": "img-src"})) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[" * 100_000, b"1", b"null", b"[null, 1, {}]", b'{"csp-report": []}',
        b'{"csp-report": {"blocked-uri": 1}}',
        b"\xff\xfe", legacy(**{"blocked-uri": "https://a.example/"}), reporting({"blockedURL": "https://a.example/"}),
        reporting({"blockedURL": "https://a.example/", "effectiveDirective": "img-src"}, kind="deprecation"),
        legacy(**{"blocked-uri": "https://a.example/", "effective-directive": "Img Src\n"}),
    ],
)  # fmt: skip
def test_what_is_no_report_is_dropped(body: bytes) -> None:
    assert said(LEGACY, body) == said(REPORTING, body) == []


def test_form_is_no_report() -> None:
    body = legacy(**{"blocked-uri": "https://a.example/", "effective-directive": "img-src"})
    assert said("application/x-www-form-urlencoded", body) == []
    assert said("", body) == []


def test_same_violation_counts_once_and_there_is_an_end_to_them() -> None:
    many = [{"blockedURL": f"https://h{n}.example/", "effectiveDirective": "img-src"} for n in range(MOST + 50)]
    assert said(REPORTING, reporting(*many[:1] * 20)) == ["img-src h0.example"]
    assert len(said(REPORTING, reporting(*many))) == MOST


VALUES = st.recursive(
    st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.binary() | VALUES.map(lambda value: json.dumps(value).encode()))
def test_anything_at_all_is_read_without_an_error(body: bytes) -> None:
    for kind in (LEGACY, REPORTING):
        assert all(" " in str(violation) for violation in read(kind, body))
