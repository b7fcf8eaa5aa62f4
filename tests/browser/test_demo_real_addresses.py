"""The site as it would go live: the real addresses, led to stand-ins by the browser's own resolver, over TLS."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from demo_visitor import DONATE, VIDEO, Visitor, free_ports
from werkzeug.serving import make_server

from examples.flask_demo.ledger import WITH, Contact, Ledger
from examples.flask_demo.others import OTHERS, StandIns
from examples.flask_demo.run import Demo, Quiet

pytestmark = pytest.mark.browser
HOSTS = sorted({address.split("/")[2] for other in OTHERS for address in other.addresses})


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(free_ports(2), live=True, instance=tmp_path_factory.mktemp("instance")) as demo:
        yield demo


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def visitor(visit: Callable[..., Visitor], live: Demo, ledger: Ledger, tmp_path: Path) -> Iterator[Visitor]:
    """A visitor whose browser finds the real hosts here; any other host but the site's doesn't exist."""
    server = make_server("127.0.0.1", 0, StandIns(ledger, via=WITH), threaded=True, request_handler=Quiet)
    # Browsers open connections that they may never use: the handshake is left to the thread of each.
    server.socket = _certificate(tmp_path).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    Thread(target=server.serve_forever, daemon=True).start()
    rules = [f"MAP {host}:443 127.0.0.1:{server.server_port}" for host in HOSTS]
    rules += ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"]
    yield visit(at=live, arguments=(f"--host-resolver-rules={','.join(rules)}", "--ignore-certificate-errors"))
    server.shutdown()
    server.server_close()


def test_the_real_hosts_hear_nothing_until_they_are_allowed(visitor: Visitor, ledger: Ledger) -> None:
    visitor.read(VIDEO, DONATE)
    assert ledger.contacts() == []
    assert visitor.cookies() == {}

    visitor.read(VIDEO)
    visitor.answer("save", "video")
    visitor.read(VIDEO, DONATE)
    assert _reached(ledger) == {"youtube"}
    assert all(contact.path.startswith(("/embed/", "/player.js")) for contact in ledger.contacts())
    assert "VISITOR_INFO1_LIVE" in visitor.cookies("www.youtube.com")

    ledger.clear()
    visitor.read_plain(VIDEO, DONATE, VIDEO)
    assert _reached(ledger) == {"youtube", "matomo", "donorbox"}
    assert [contact for contact in _of(ledger, "youtube") if contact.received], "no third-party cookie was sent back"


def test_a_video_is_loaded_once_from_its_real_host(visitor: Visitor, ledger: Ledger) -> None:
    visitor.read(VIDEO)
    visitor.page.locator("[data-consent-placeholder=youtube] [data-consent-action=once]").click()
    visitor.third_party("/embed/aqz-KE-bpKQ").get_by_role("button", name="Play").wait_for()
    visitor.settle()
    paths = {contact.path.partition("?")[0] for contact in _of(ledger, "youtube")}
    assert paths == {"/embed/aqz-KE-bpKQ", "/player.js"}
    embed = next(contact for contact in _of(ledger, "youtube") if contact.path.startswith("/embed/"))
    assert embed.referrer == visitor.demo.site + "/", "YouTube's player asks where it is embedded"
    assert _reached(ledger) == {"youtube"}

    ledger.clear()
    visitor.read(VIDEO)
    assert ledger.contacts() == []
    visitor.read_plain(VIDEO)
    assert _reached(ledger) == {"youtube", "matomo"}


def _of(ledger: Ledger, key: str) -> list[Contact]:
    return [contact for contact in ledger.contacts() if contact.other == key]


def _reached(ledger: Ledger) -> set[str]:
    return {contact.other for contact in ledger.contacts()}


def _certificate(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody signed but ourselves, for all the real hosts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-ins")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "stand-ins.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
