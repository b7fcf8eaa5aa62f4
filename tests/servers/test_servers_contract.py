"""What HTTP promises, kept by the middleware behind each real server; the bare application beside it as the control."""

from __future__ import annotations

import os
import socket
import time

import httpx
import pytest
from servers_app import ARTICLE, CSS, FILE, HINTED
from servers_running import ASGI, WSGI, Server

LIVE = b' src="https://stats.example/js/a.js"'
NOTICE = b"data-consent-banner"
SHORT = 0.4  # seconds in which what is ready would have come


def received(connection: socket.socket, until: bytes, *, within: float = 5) -> bytes:
    """What came until these bytes did, or until time was up."""
    data, end = b"", time.monotonic() + within
    while until not in data and (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            piece = connection.recv(1 << 16)
        except TimeoutError:
            break
        if not piece:
            break
        data += piece
    return data


def request(path: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: news.example", *lines, "", ""]).encode()


def test_page_is_gated_and_the_bare_one_is_not(server: Server) -> None:
    reply, bare = server.get(), server.get("/bare/")
    assert LIVE not in reply.body
    assert NOTICE in reply.body
    assert bare.body == ARTICLE
    assert LIVE in server.get(Cookie=server.accept()).body


@pytest.mark.parametrize("kind", ["page", "text"])
def test_first_chunk_arrives_before_the_last_is_made(server: Server, kind: str, request_name: str) -> None:
    for prefix in ("", "/bare"):
        name = f"{request_name}{prefix.strip('/')}"
        with server.connect(request(f"{prefix}/held/{kind}/{name}")) as connection:
            assert b"<p>x</p>" * 100 in received(connection, b"<p>x</p>" * 100)
            assert b"The end." not in received(connection, b"The end.", within=0.05)
            server.release(name)
            assert b"The end." in received(connection, b"The end.")


def test_nothing_arrives_of_what_the_application_holds_back(server: Server, request_name: str) -> None:
    with server.connect(request(f"/held/page-late/{request_name}")) as connection:
        assert b"<p>" not in received(connection, b"<p>", within=SHORT)
        server.release(request_name)
        assert b"The end." in received(connection, b"The end.")


def test_head_has_the_fields_of_get_and_no_body(server: Server) -> None:
    with server.connect(request("/", "Connection: close", method="HEAD")) as connection:
        head, _, body = received(connection, b"never").partition(b"\r\n\r\n")
    assert body == b""
    got = server.get()
    for name in ("content-security-policy", "cache-control", "vary", "etag"):
        assert got.get(name)
        assert f"{name}: {got.get(name)}".lower().encode() in head.lower()
    assert b"content-length" not in head.lower()
    sized = server.get("/style.css", method="HEAD")
    assert (sized.get("content-length"), sized.body) == (str(len(CSS)), b"")


def test_parts_of_files_pass_as_they_are(server: Server) -> None:
    for prefix in ("", "/bare"):
        part = server.get(f"{prefix}/file", Range="bytes=100-299")
        assert (part.status, part.body) == (206, FILE[100:300])
        assert part.get("content-range") == f"bytes 100-299/{len(FILE)}"
        whole = server.get(f"{prefix}/file")
        assert (whole.body, whole.get("accept-ranges"), whole.get("etag")) == (FILE, "bytes", '"f1"')
        assert server.get(f"{prefix}/file", Range="bytes=100-299", If_Range='"f1"').status == 206
        assert server.get(f"{prefix}/file", Range="bytes=100-299", If_Range='"f0"').status == 200
    assert server.get().get("accept-ranges") is None


def test_unchanged_pages_are_confirmed_to_the_same_permissions_alone(server: Server) -> None:
    jar = server.accept()
    tags = {who: str(server.get(Cookie=who).get("etag")) for who in ("", jar)}
    assert tags[""] != tags[jar]
    for mine, theirs in (("", jar), (jar, "")):
        same = server.get(Cookie=mine, If_None_Match=tags[mine])
        assert (same.status, same.body, same.get("etag")) == (304, b"", tags[mine])
        other = server.get(Cookie=mine, If_None_Match=tags[theirs])
        assert other.status == 200
        assert (LIVE in other.body) is (mine == jar)
    assert server.get(If_None_Match='"v1"').status == 200
    assert server.get("/bare/", If_None_Match='"v1"').status == 304
    assert server.get(If_Modified_Since="Thu, 01 Jan 2026 00:00:00 GMT").status == 200


@pytest.mark.parametrize("fields", [{"Sec_Fetch_Dest": "style"}, {"Accept": "text/css,*/*;q=0.1"}, {}])
def test_unchanged_style_sheets_are_confirmed_whatever_the_browser_says_of_itself(
    server: Server, fields: dict[str, str]
) -> None:
    assert server.get("/style.css", **fields).get("etag") == '"c1"'
    assert server.get("/style.css", If_None_Match='"c1"', **fields).status == 304
    assert server.get("/style.css", If_None_Match='"c0"', **fields).status == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_packed_pages_are_unpacked_and_gated(server: Server, coding: str) -> None:
    reply = server.get(f"/packed/{coding}", Accept_Encoding="gzip, deflate, br, zstd")
    assert reply.get("content-encoding") is None
    assert b"News." in reply.body
    assert NOTICE in reply.body
    assert LIVE not in reply.body
    bare = server.get(f"/bare/packed/{coding}")
    assert bare.get("content-encoding") == coding
    assert int(str(bare.get("content-length"))) == len(bare.body)


@pytest.mark.parametrize("coding", ["dcz", "broken"])
def test_what_cannot_be_unpacked_is_not_let_through(server: Server, coding: str) -> None:
    reply = server.get(f"/packed/{coding}")
    assert reply.status == 200
    assert b"stats.example/js" not in reply.body
    assert len(reply.body) > 20
    assert reply.get("content-encoding") is None
    assert server.get("/bare/packed/dcz").body.endswith(ARTICLE)


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/failing", 500)])
def test_error_pages_are_pages(server: Server, path: str, status: int) -> None:
    reply, bare = server.get(path), server.get("/bare" + path)
    assert reply.status == bare.status == status
    assert NOTICE in reply.body
    assert LIVE not in reply.body
    assert LIVE in bare.body


def test_what_the_application_raises_is_the_servers_to_answer(server: Server) -> None:
    assert server.get("/raising").status == server.get("/bare/raising").status == 500
    assert server.complaints().count("raised on purpose") >= 2
    assert server.get().status == 200


def test_page_that_breaks_off_is_seen_to_break_off(server: Server) -> None:
    for prefix in ("/bare", ""):
        with server.connect(request(f"{prefix}/late", "Connection: close")) as connection:
            data = received(connection, b"\r\n0\r\n\r\n")
        assert b"<p>x</p>" in data
        assert not data.endswith(b"\r\n0\r\n\r\n")
    assert server.get().status == 200


@pytest.mark.parametrize("kind", ["page", "text"])
def test_visitors_who_leave_early_leave_nothing_behind(server: Server, kind: str, request_name: str) -> None:
    for number in range(5):
        name = f"{kind}-{request_name}-{number}"
        with server.connect(request(f"/endless/{name}")) as connection:
            assert b"<p>x</p>" in received(connection, b"<p>x</p>")
            assert not (server.root / f"closed-{name}").exists()
        assert server.says(f"closed-{name}")
    assert server.get().status == 200
    assert "Traceback" not in server.complaints()


@pytest.mark.parametrize(
    ("path", "megabytes"), [("/big", int(os.environ.get("SERVERS_MB", "1024"))), ("/big-page", 32)]
)
def test_large_downloads_take_no_memory(server: Server, path: str, megabytes: int) -> None:
    for _ in range(8):  # with two workers, both have once sent something
        server.get(f"{path}/1", Sec_Fetch_Dest="document")
    pids = {int(server.get("/facts").body.split()[0]) for _ in range(20)}
    for pid in pids:
        with open(f"/proc/{pid}/clear_refs", "w") as refs:
            refs.write("5")  # forget the peak so far
    before = {pid: _peak(pid) for pid in pids}
    size = 0
    with server.connect(request(f"{path}/{megabytes}", "Connection: close")) as connection:
        room = bytearray(1 << 18)
        while count := connection.recv_into(room):
            size += count
    assert size > megabytes << 20
    assert max(_peak(pid) - before[pid] for pid in pids) < 12_000


def _peak(pid: int) -> int:
    """The most memory that was resident, in KiB."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


@pytest.mark.parametrize("path", ["/echo", "/bare/echo"])
def test_client_that_waits_to_be_told_to_continue_is_told(server: Server, path: str) -> None:
    head = request(path, "Content-Length: 5", "Expect: 100-continue", "Connection: close", method="POST")
    with server.connect(head) as connection:
        assert received(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        assert received(connection, b"hello").endswith(b"hello")


def test_pages_are_whole_for_clients_of_http_1_0(server: Server) -> None:
    heads = []
    for path in ("/bare/nowhere", "/nowhere"):  # both without a length
        with server.connect(request(path, version="1.0")) as connection:
            head, _, body = received(connection, b"never").partition(b"\r\n\r\n")
            heads.append(b"transfer-encoding" in head.lower())
    assert heads[0] == heads[1]  # some servers send chunks to whoever asks, with and without us
    assert body.rstrip(b"0\r\n").endswith(b"</html>")
    assert NOTICE in body
    assert LIVE not in body


def test_two_pages_over_one_connection(server: Server) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers={"Host": "news.example"}) as client:
        texts = [client.get(path).text for path in ("/", "/style.css", "/", "/packed/gzip")]
    assert texts[0] == texts[2]
    assert texts[1] == CSS.decode()
    assert "News." in texts[3]


def test_odd_fields_of_the_application_do_no_harm(server: Server) -> None:
    reply = server.get("/odd")
    assert reply.status == 200
    assert NOTICE in reply.body
    assert LIVE not in reply.body
    assert "Traceback" not in server.complaints()


def test_what_is_answered_is_recorded_in_each_worker(server: Server) -> None:
    for _ in range(6):
        jar = server.accept()
        assert LIVE in server.get(Cookie=jar).body
        assert LIVE not in server.get(Cookie="consent=forged").body


@pytest.mark.parametrize("server", WSGI, indirect=True)
def test_files_are_sent_by_the_kernel_unless_they_are_pages(server: Server) -> None:
    def sent(path: str) -> tuple[int, bytes]:
        before = _kernel(server)
        body = server.get(path).body
        return _kernel(server) - before, body

    if server.name != "gunicorn preload":  # two workers count apart
        for path in ("/kernel/text", "/bare/kernel/text", "/bare/kernel/page"):
            assert sent(path) == (1, ARTICLE)
        count, body = sent("/kernel/page")
        assert count == 0
    else:
        body = server.get("/kernel/page").body
    assert LIVE not in body
    assert NOTICE in body


def _kernel(server: Server) -> int:
    return int(server.get("/facts").body.split()[1])


@pytest.mark.parametrize("server", WSGI, indirect=True)
def test_what_is_written_passes_the_gate_too(server: Server) -> None:
    reply = server.get("/written")
    assert NOTICE in reply.body
    assert LIVE not in reply.body
    assert server.get("/bare/written").body == ARTICLE


@pytest.mark.parametrize("server", WSGI, indirect=True)
def test_early_hints_name_nobody_who_is_refused(server: Server) -> None:
    for prefix, named in (("", [True, False]), ("/bare", [True, True])):
        with server.connect(request(f"{prefix}/hinting")) as connection:
            hints, _, _ = received(connection, b"HTTP/1.1 200").partition(b"HTTP/1.1 200")
        assert hints.startswith(b"HTTP/1.1 103")
        assert [f"<{url}>".encode() in hints for url in HINTED] == named


@pytest.mark.parametrize("server", ASGI, indirect=True)
def test_websockets_and_the_lifespan_are_the_applications(server: Server) -> None:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    with server.connect(request("/", *upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")) as connection:
        assert b"101" in received(connection, b"\r\n\r\n")
        connection.sendall(b"\x81\x83\0\0\0\0abc")  # "abc", masked with nothing
        assert b"cbabegun" in received(connection, b"cbabegun")


@pytest.mark.parametrize("server", ["hypercorn"], indirect=True)
def test_cookies_of_http_2_come_in_several_fields(server: Server) -> None:
    jar = server.accept()
    with httpx.Client(http1=False, http2=True, base_url=f"http://127.0.0.1:{server.port}") as client:
        fields = [("Host", "news.example"), ("Cookie", "a=1"), ("Cookie", jar), ("Cookie", "b=2")]
        granted, refused = client.get("/", headers=fields), client.get("/", headers=fields[:2])
    assert granted.http_version == "HTTP/2"
    assert LIVE in granted.content
    assert LIVE not in refused.content
