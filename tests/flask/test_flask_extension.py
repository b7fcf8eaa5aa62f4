"""Flask: one line to adopt, templates and views, factories, streaming, files and error pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest

from consent import ConfigError, Policy, UnknownKeyError
from consent.flask import Consent
from consent.policy import Ask
from consent.testing import grant, refuse

CONSENT_TOML = """
[site]
name = "Harbour News"
controller = "Harbour News Trust, 1 Quay St, Cork, Ireland"
contact = "privacy@harbour.example"
privacy_policy = "/privacy"

[[service]]
use = "youtube"

[[service]]
use = "plausible"
"""
VIDEO = '<iframe width="560" height="315" src="https://www.youtube.com/embed/abc"></iframe>'


def make_app(folder: Path, **config: Any) -> flask.Flask:
    (folder / "consent.toml").write_text(CONSENT_TOML, encoding="utf-8")
    app = flask.Flask("site", root_path=str(folder), instance_path=str(folder / "instance"))
    app.config.update(SECRET_KEY="a secret of the tests", **config)

    @app.get("/")
    def front() -> str:
        return f"<!doctype html><html lang=en><body><h1>News</h1>{VIDEO}</body></html>"

    @app.get("/template")
    def template() -> str:
        return flask.render_template_string(
            "<!doctype html><html lang=en><body>"
            "{% if consent.allows('youtube') %}video{% else %}no video{% endif %}"
            "{{ consent.embed('youtube', 'abc', title='A film') }}"
            "<footer>{{ consent.settings_link() }}</footer>{{ consent.declaration() }}</body></html>"
        )

    @app.get("/view")
    def view() -> dict[str, bool]:
        return {"youtube": flask.g.consent.allows("youtube")}

    @app.get("/unknown")
    def unknown() -> dict[str, bool]:
        return {"yuotube": flask.g.consent.allows("yuotube")}

    @app.get("/stream")
    def stream() -> flask.Response:
        def pieces() -> Iterator[str]:
            yield "<!doctype html><html lang=en><body><p>"
            yield from ("word " for _ in range(1000))
            yield VIDEO + "</body></html>"

        return flask.Response(pieces(), mimetype="text/html")

    @app.get("/file")
    def file() -> flask.Response:
        return flask.send_file(folder / "consent.toml", mimetype="text/plain")

    @app.errorhandler(404)
    def missing(_: Exception) -> tuple[str, int]:
        return f"<!doctype html><html lang=en><body>Nothing here.{VIDEO}</body></html>", 404

    return app


@pytest.fixture
def app(tmp_path: Path) -> flask.Flask:
    app = make_app(tmp_path)
    Consent(app)
    return app


def is_live(page: str) -> bool:
    return ' src="https://www.youtube.com/embed/abc"' in page


def test_one_line_gates_a_page_and_shows_a_notice(app: flask.Flask) -> None:
    client = app.test_client()
    page = client.get("/").text
    assert "data-consent-banner" in page
    assert not is_live(page)
    grant(client, "youtube")
    assert is_live(client.get("/").text)


def test_the_log_is_in_the_instance_folder(app: flask.Flask, tmp_path: Path) -> None:
    app.test_client().get("/")
    assert (tmp_path / "instance" / "consent.db").exists()


def test_a_test_client_can_be_a_visitor_who_granted_or_refused(app: flask.Flask) -> None:
    client = app.test_client()
    assert client.get("/view").json == {"youtube": False}
    grant(client, "video")
    assert client.get("/view").json == {"youtube": True}
    assert client.get("/view", base_url="https://localhost").json == {"youtube": True}
    refuse(client)
    assert client.get("/view").json == {"youtube": False}
    assert "data-consent-banner" not in client.get("/").text
    with pytest.raises(UnknownKeyError, match="youtube"):
        grant(client, "yuotube")


def test_templates_have_consent(app: flask.Flask) -> None:
    client = app.test_client()
    page = client.get("/template").text
    assert "no video" in page
    assert 'data-consent-action="once"' in page
    assert page.count('data-consent-action="settings"') >= 1
    assert page.partition("<footer>")[2].partition("</footer>")[0].count('data-consent-action="settings"') == 1
    grant(client, "youtube")
    page = client.get("/template").text
    assert "no video" not in page
    assert is_live(page)


def test_the_notice_can_be_placed_by_a_template(tmp_path: Path) -> None:
    from dataclasses import replace

    from consent.config import load

    app = make_app(tmp_path)
    policy = load(tmp_path / "consent.toml")

    @app.get("/placed")
    def placed() -> str:
        return flask.render_template_string(
            "<!doctype html><html lang=en><body><main>Text{{ consent.notice() }}</main></body></html>"
        )

    Consent(app, policy=replace(policy, ask=Ask(placement="template")))
    client = app.test_client()
    page = client.get("/placed").text
    assert page.index("Text") < page.index("data-consent-banner")
    assert page.count("data-consent-banner") == 1
    assert "data-consent-banner" not in client.get("/").text
    refuse(client)
    assert "data-consent-banner" not in client.get("/placed").text


def test_an_unknown_key_is_denied_and_an_error_in_debug(tmp_path: Path) -> None:
    for debug in (False, True):
        folder = tmp_path / str(debug)
        folder.mkdir()
        app = make_app(folder, DEBUG=debug, PROPAGATE_EXCEPTIONS=True)
        Consent(app)
        client = app.test_client()
        if debug:
            with pytest.raises(UnknownKeyError, match="youtube"):
                client.get("/unknown")
        else:
            assert client.get("/unknown").json == {"yuotube": False}


def test_an_application_factory_and_several_applications(tmp_path: Path) -> None:
    extension = Consent()
    clients = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        app = make_app(folder)
        extension.init_app(app)
        clients.append(app.test_client())
    grant(clients[0], "youtube")
    assert [client.get("/view").json for client in clients] == [{"youtube": True}, {"youtube": False}]


def test_the_secret_key_may_be_set_after_and_its_absence_is_an_error(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    app.config["SECRET_KEY"] = None
    app.config["PROPAGATE_EXCEPTIONS"] = True
    Consent(app)
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        app.test_client().get("/")
    app.config["SECRET_KEY"] = "set later"
    assert app.test_client().get("/").status_code == 200


def test_the_config_may_still_change_after(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    Consent(app)
    client = app.test_client()
    grant(client, "youtube")
    assert client.get("/view").json == {"youtube": True}
    recorder = app.extensions["consent"].engine.recorder
    app.config.update(SECRET_KEY="another", CONSENT_HTTPS=True)
    assert client.get("/view").json == {"youtube": False}, "neither signed with this key, nor of a secure page"
    grant(client, "youtube")
    assert client.get("/view").json == {"youtube": True}
    assert client.get_cookie("__Host-consent") is not None
    assert app.extensions["consent"].engine.recorder is recorder, "the same log goes on"


def test_a_rotated_key_keeps_choices(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    Consent(app)
    client = app.test_client()
    grant(client, "youtube")
    cookie = client.get_cookie("consent")
    assert cookie is not None
    for fallbacks, kept in ((["a secret of the tests"], True), ([], False)):
        later = make_app(tmp_path)
        later.config.update(SECRET_KEY="a new secret", SECRET_KEY_FALLBACKS=fallbacks)
        Consent(later)
        other = later.test_client()
        other.set_cookie("consent", cookie.value)
        assert other.get("/view").json == {"youtube": kept}


def test_streaming_files_and_error_pages(app: flask.Flask) -> None:
    client = app.test_client()
    streamed = client.get("/stream")
    assert not is_live(streamed.text)
    assert streamed.text.count("word ") == 1000
    with client.get("/file") as sent:
        assert sent.text == CONSENT_TOML
        assert sent.headers["Content-Length"] == str(len(CONSENT_TOML.encode()))
    missing = client.get("/nowhere")
    assert missing.status_code == 404
    assert "Nothing here." in missing.text
    assert not is_live(missing.text)
    grant(client, "youtube")
    assert is_live(client.get("/stream").text)
    assert is_live(client.get("/nowhere").text)


def test_a_wrong_policy_is_a_start_up_error_with_the_line(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    (tmp_path / "consent.toml").write_text(CONSENT_TOML.replace('"youtube"', '"yuotube"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="youtube") as caught:
        Consent(app)
    assert caught.value.problems[0].line == 9


def test_no_policy_names_the_command_that_writes_one(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    (tmp_path / "consent.toml").unlink()
    with pytest.raises(ConfigError, match="consent init"):
        Consent(app)


def test_a_site_may_replace_a_template(tmp_path: Path) -> None:
    for own in (False, True):
        app = make_app(tmp_path)
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        (folder / "settings.html").write_text("<p>Our own words</p>")
        Consent(app, templates=folder if own else None, log="memory://")
        assert ("Our own words" in app.test_client().get("/").text) is own


def test_the_applications_own_route_below_the_prefix_gets_its_form(app: flask.Flask) -> None:
    @app.post("/consent/own")
    def own() -> dict[str, str]:
        return {"said": flask.request.form["said"]}

    assert app.test_client().post("/consent/own", data={"said": "hello"}).json == {"said": "hello"}


def test_consent_twice_is_an_error(app: flask.Flask) -> None:
    with pytest.raises(ConfigError, match="already"):
        Consent(app)


def test_consent_answers_before_the_applications_own_csrf_and_login(tmp_path: Path) -> None:
    app = make_app(tmp_path)

    @app.before_request
    def guard() -> Any:
        return ("Please sign in.", 401)

    Consent(app)
    client = app.test_client()
    assert client.get("/").status_code == 401
    reply = client.post("/consent/", data={"action": "reject"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert reply.status_code == 303


def test_outside_a_visit_nothing_is_allowed_and_nothing_fails(app: flask.Flask) -> None:
    template = "{{ consent.allows('youtube') }}{{ consent.notice() }}{{ consent.embed('youtube', 'x') }}"
    with app.app_context():
        assert flask.render_template_string(template) == "False"
    with app.test_request_context():
        assert flask.render_template_string(template) == "False"


def test_debug_may_be_switched_on_later(app: flask.Flask) -> None:
    client = app.test_client()
    assert client.get("/unknown").json == {"yuotube": False}
    app.debug = True
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(UnknownKeyError):
        client.get("/unknown")


def test_a_test_client_is_where_its_application_is_named(tmp_path: Path) -> None:
    app = make_app(tmp_path, SERVER_NAME="news.example")
    Consent(app)
    client = app.test_client()
    grant(client, "youtube")
    assert client.get("/view").json == {"youtube": True}


def test_the_application_says_which_language_its_page_is_in(tmp_path: Path) -> None:
    for language in ("de", "en"):
        folder = tmp_path / language
        folder.mkdir()
        app = make_app(folder)
        Consent(app, locale=lambda language=language: language)
        assert f'lang="{language}"' in app.test_client().get("/template").text.partition("<footer>")[2]


def test_a_policy_object_will_do(tmp_path: Path) -> None:
    from consent.policy import Site

    app = make_app(tmp_path)
    Consent(app, policy=Policy(site=Site(name="Harbour", controller="Trust")), log="memory://")
    assert app.test_client().get("/").status_code == 200
