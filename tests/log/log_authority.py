"""An authority for time stamps on this machine: OpenSSL's, behind HTTP as RFC 3161 section 3.4 has it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_CONFIG = """
[ca]
basicConstraints = critical, CA:true
[tsa]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[plain]
basicConstraints = CA:false
[stamp]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """A certificate authority in a folder, with one that it certified for stamping; ``ca`` is its certificate."""

    def __init__(self, folder: Path, *, name: str = "Stamps of the Harbour") -> None:
        folder.mkdir(parents=True)
        self.folder, self.ca = folder, folder / "ca.pem"
        self.asked: list[bytes] = []
        (folder / "conf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        subject = f"/CN={name}"
        self._run(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -keyout ca.key -out ca.pem",
            "-subj", f"{subject} Root",
        )  # fmt: skip
        self.certify(subject, "tsa")

    def certify(self, subject: str, kind: str) -> None:
        """Make the certificate of the signer: ``tsa`` is for stamps, ``plain`` isn't."""
        self._run("req -new -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj", subject)
        self._run(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -out tsa.pem -extfile conf "
            f"-extensions {kind}"
        )

    def stamp(self, request: bytes) -> bytes:
        self.asked.append(request)
        (self.folder / "query").write_bytes(request)
        self._run("ts -reply -config conf -section stamp -queryfile query -out reply")
        return (self.folder / "reply").read_bytes()

    @contextmanager
    def serving(self) -> Iterator[str]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                good = self.headers["Content-Type"] == "application/timestamp-query"
                reply = authority.stamp(body) if good else b""
                self.send_response(200 if good else 415)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _run(self, command: str, *arguments: str) -> None:
        """Run OpenSSL in the folder; what comes after the words of ``command`` may have spaces."""
        subprocess.run(
            ["openssl", *command.split(), *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60
        )
