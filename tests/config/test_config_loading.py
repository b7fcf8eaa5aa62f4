"""What a good consent.toml means, and that no bad one gets past with anything but findings."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import catalogue
from consent.config import check, days, load
from consent.config.lexicon import promise
from consent.config.schema import ASK, CATEGORY, SERVICE, SITE
from consent.config.service import ready_made
from consent.config.storage import KEYS
from consent.policy import Policy

TODAY = date(2027, 3, 1)
SITE_TABLE = '[site]\nname = "Harbour News"\ncontroller = "Harbour News Trust"\ncontact = "x"\n'


def policy(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "consent.toml"
    path.write_text(SITE_TABLE + text, "utf-8")
    return load(path, today=TODAY)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("session", 0), ("persistent", None), ("1 year", 365), ("2 years", 730), ("13 months", 395), ("6 months", 183),
        ("a day", 1), ("24 hours", 1), ("30 minutes", 0.020833), ("1 year and 2 weeks", 379), ("1 Year, 1 month", 395),
        ("184days", 184), ("1.5 hours", 0.0625),
    ],
)  # fmt: skip
def test_durations_mean_days(words: str, expected: float | None) -> None:
    assert days(words) == expected
    assert isinstance(days(words), type(expected))


@pytest.mark.parametrize("words", ["", "soon", "13", "months 13", "1 year of", "-1 day", "0 days", "13 monts"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        days(words)


def test_the_library_declares_its_own_cookies(tmp_path: Path) -> None:
    own = policy(tmp_path, "").service("consentry")
    assert own.is_necessary
    assert {item.name: item.days for item in own.storage} == {
        "__Host-consent": 184, "consent": 184, "__Host-consent-said": 0.000694, "consent-said": 0.000694,
        "__Host-consent-token": 0.006944, "consent-token": 0.006944,
    }  # fmt: skip
    shared = policy(tmp_path, '[ask]\npages = "shared"\n')
    assert {item.name for item in shared.service("consentry").storage} - {item.name for item in own.storage} == {
        "consent-seen"
    }
    wider = policy(tmp_path, 'hosts = ["h.example"]\n[ask]\ncookie_domain = "h.example"\n')
    assert "__Secure-consent" in {item.name for item in wider.service("consentry").storage}


def test_category_necessary_means_the_basis_necessary(tmp_path: Path) -> None:
    service = policy(
        tmp_path,
        '[[service]]\nkey = "size"\ncategory = "necessary"\nname = "Text size"\npurpose = "Keeps the text size."\n'
        'exempt_reason = "Keeps the text size that the reader chose on every page."\n'
        'storage = [{ name = "size", lasts = "1 year" }]\n',
    ).service("size")
    assert service.is_necessary
    assert service.provider == "Harbour News Trust"


def test_catalogue_facts_give_way_to_the_sites_own(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        '[[service]]\nuse = "youtube"\nkey = "films"\ncategory = "social"\nrecipients = ["Google LLC"]\n',
    ).service("films")
    assert (found.catalogue, found.category, found.recipients) == ("youtube", "social", ("Google LLC",))
    assert found.provider == "Google Ireland Limited"


def test_self_hosted_matomo_is_found_at_its_host_or_folder(tmp_path: Path) -> None:
    host = policy(tmp_path, '[[service]]\nuse = "matomo"\nhost = "stats.harbour.example"\n').service("matomo")
    assert "stats.harbour.example/matomo.js*" in host.load
    assert host.provider == "Harbour News Trust"
    folder = policy(tmp_path, '[[service]]\nuse = "matomo"\nhost = "www.harbour.example/m/"\n').service("matomo")
    assert "www.harbour.example/m/matomo.php*" in folder.load
    own = policy(tmp_path, '[[service]]\nuse = "matomo"\nload = ["stats.harbour.example"]\n').service("matomo")
    assert own.load == ("stats.harbour.example",)
    cloud = policy(tmp_path, '[[service]]\nuse = "matomo"\nhost = "harbour.matomo.cloud"\n').service("matomo")
    assert (cloud.provider, cloud.country) == ("InnoCraft Limited", "NZ")


def test_embed_of_the_catalogue_goes_where_the_site_loads_from_elsewhere(tmp_path: Path) -> None:
    assert policy(tmp_path, '[[service]]\nuse = "youtube"\n').service("youtube").embed
    moved = policy(tmp_path, '[[service]]\nuse = "youtube"\nload = ["localhost:8001/*"]\n').service("youtube")
    assert (moved.embed, moved.load) == ("", ("localhost:8001/*",))
    added = policy(tmp_path, '[[service]]\nuse = "youtube"\nhost = "localhost/youtube"\n').service("youtube")
    assert added.embed
    assert "localhost/youtube/*" in added.load


def test_hosts_are_kept_as_browsers_send_them(tmp_path: Path) -> None:
    text = 'hosts = ["Büro.example.", "localhost:5000"]\n[[service]]\nuse = "youtube"\nload = ["*.Büro.example/A*"]\n'
    text += 'embed = "https://a.xn--bro-hoa.example/A{id}"\n'
    found = policy(tmp_path, text)
    assert found.site.hosts == ("xn--bro-hoa.example", "localhost:5000")
    assert found.service("youtube").load == ("*.xn--bro-hoa.example/A*",)


def test_own_categories_come_after_the_built_in_ones_and_may_reword_them(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        '[[category]]\nkey = "games"\nname = "Games"\npurpose = "Shows games."\n'
        '[[category]]\nkey = "video"\nname = "Films"\n[[service]]\nuse = "youtube"\ncategory = "games"\n',
    )
    assert [category.key for category in found.categories][-1] == "games"
    assert found.category("video").name == "Films"
    assert found.category("video").builtin


def test_log_retention_is_known_in_days(tmp_path: Path) -> None:
    assert policy(tmp_path, "").site.log_retention_days == 1095
    assert policy(tmp_path, 'log_retention = "13 months"\n').site.log_retention_days == 395


@pytest.mark.parametrize("key", list(catalogue.all()))
def test_every_catalogue_file_makes_a_service_that_can_be_declared(tmp_path: Path, key: str) -> None:
    host = 'host = "stats.harbour.example"\n' if key == "matomo" else ""
    service = policy(tmp_path, f'[[service]]\nuse = "{key}"\n{host}').service(key)
    assert service.provider
    if service.is_necessary:  # a framework's preset only declares what the site itself stores
        assert (service.load, service.provider) == ((), "Harbour News Trust")
        assert service.storage
    else:
        assert service.load
        assert service.privacy_policy.startswith("https://")
    assert promise(service.purpose) is None
    assert service.purpose.endswith(".")
    assert service.purpose.count(".") - service.purpose.count("youtube-nocookie.com") == 1
    assert catalogue.all()[key]["catalogue"]["confidence"] in ("high", "medium", "low")
    assert ready_made(key)["name"] == service.name


def test_lexicon_finds_promises_where_there_are_some() -> None:
    assert promise("Improves your experience.") == "Improves"
    assert promise("Wird anonym ausgewertet.") == "anonym"
    assert promise("Counts how often each article is read.") is None


def test_catalogue_knows_what_editors_paste() -> None:
    for url in (
        "https://www.youtube.com/embed/x", "https://youtu.be/x", "https://m.youtube.com/watch?v=x",
        "https://www.youtube.com/iframe_api", "https://i.ytimg.com/vi/x/hqdefault.jpg", "https://yt3.ggpht.com/a",
        "https://rr1---sn.googlevideo.com/videoplayback", "https://youtube.com/embed/x",
    ):  # fmt: skip
        assert "youtube" in catalogue.by_url(url), url
    assert catalogue.by_url("https://www.googletagmanager.com/gtag/js?id=G-1") == ("google-analytics-4",)
    assert catalogue.by_url("https://www.googletagmanager.com/gtm.js?id=GTM-1") == ("google-tag-manager",)
    assert catalogue.by_url("https://notyoutube.com/") == ()
    assert catalogue.by_host("fonts.gstatic.com") == ("google-fonts",)
    assert catalogue.by_cookie("_ga_ABC") == ("google-analytics-4",)
    assert catalogue.get("nothing") is None


def test_catalogue_and_own_texts_never_name_an_unknown_key() -> None:
    for key, entry in catalogue.all().items():
        assert set(entry) <= {*SERVICE, "catalogue"}, key


NAMES = st.sampled_from([*SITE, *ASK, *CATEGORY, *SERVICE, *KEYS, "site", "ask", "service", "category", "zzz"])
SCALARS = st.one_of(
    st.sampled_from(["", "*", "necessary", "consent", "youtube", "matomo", "/x", "https://a.example/{id}", "a" * 300]),
    st.text(max_size=8),
    st.integers(-5, 500),
    st.booleans(),
    st.floats(allow_nan=True),
    st.dates(),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=20,
)


def as_toml(value: object) -> str:
    """Any of those values as inline TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08X}" for letter in value if not 0xD800 <= ord(letter) <= 0xDFFF) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + "}"
    return str(value)


@given(st.dictionaries(NAMES, ANYTHING, max_size=4), st.dictionaries(NAMES, ANYTHING, max_size=10))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_there_are_findings_and_never_another_error(
    tmp_path: Path, top: dict[str, object], service: dict[str, object]
) -> None:
    text = "".join(f"{key} = {as_toml(value)}\n" for key, value in top.items() if key != "service")
    text += "[[service]]\n" + "".join(f"{key} = {as_toml(value)}\n" for key, value in service.items())
    tomllib.loads(text)
    path = tmp_path / "consent.toml"
    path.write_text(text, "utf-8")
    for problem in check(path, today=TODAY):
        assert str(problem)
