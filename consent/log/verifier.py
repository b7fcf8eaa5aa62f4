#!/usr/bin/env python3
"""Checks a bundle of consent records without trusting the site that made it, nor any of its software.

Usage: python verify.py BUNDLE.tar [--key VKEY]... [--checkpoint NOTE]... [--tsa CERTIFICATE.pem]... [--json]

Needs Python 3.11 and the package "cryptography", nothing else, and the same small memory for every size. Exit code 0:
all is as it was sealed; 1: something is not, and the first bad record is named; 2: the bundle can't be read; 3: wrong
usage. The keys that the bundle brings are used unless --key names the one that you were given from elsewhere.
--checkpoint takes a file with a checkpoint that you kept from an earlier visit, --tsa the certificate of an authority
for time stamps that you trust: only what comes from elsewhere shows whether the site has since rewritten its whole
log, or cut off its end. One file on purpose: it travels in the bundle.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import multiprocessing
import os
import re
import sys
import threading
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import IO, Any, NamedTuple

FORMAT = "consent-bundle/2"
LARGEST_PART = 16 << 20  # bytes that are read at once; records are read line by line
LONGEST_LINE = 1 << 20
MOST_PROBLEMS = 100  # that are kept; the rest is counted
TILE, CHUNK = 256, 65_536  # leaves in a tile of level 0, and below a tile of level 1
LATE_DAYS = 2  # a decision may wait on the site's disk while its database is down
SPECIAL = ("erasure", "retention", "prune", "key")
_sha256 = hashlib.sha256


class Unreadable(Exception):  # noqa: N818 - it names what happened, as an auditor would
    """The bundle is not one, or lacks what is needed to check it."""


class Report:
    """What was checked and what was found; ``problems`` are pairs of a leaf's index, or none, and a sentence."""

    def __init__(self) -> None:
        self.origin = ""
        self.size = 0
        self.records = 0
        self.selection = ""
        self.artefacts = 0
        self.checkpoints: list[int] = []
        self.anchors: list[tuple[int, datetime, str, bool]] = []
        self.erased = self.reduced = self.pruned = 0
        self.first_day = self.last_day = ""
        self.keys: list[str] = []
        self.keys_from_bundle = True
        self.problems: list[tuple[int | None, str]] = []
        self.problem_count = 0
        self.counts: Counter[tuple[str, str, str]] = Counter()

    @property
    def good(self) -> bool:
        return self.problem_count == 0

    @property
    def whole(self) -> bool:
        return not self.selection

    def bad(self, what: str, index: int | None = None) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((index, what))

    @property
    def anchored(self) -> tuple[int, datetime] | None:
        """How many leaves the newest anchor covers, and since when."""
        return max(((size, at) for size, at, _, _ in self.anchors), default=None)

    def as_data(self) -> dict[str, Any]:
        return {
            "good": self.good,
            "origin": self.origin,
            "size": self.size,
            "records": self.records,
            "whole_log": self.whole,
            "selection": self.selection,
            "erased": self.erased,
            "reduced_to_counts": self.reduced,
            "pruned": self.pruned,
            "artefacts": self.artefacts,
            "checkpoints": self.checkpoints,
            "anchors": [
                {"size": size, "time": at.isoformat(), "authority": who, "trusted": trusted}
                for size, at, who, trusted in self.anchors
            ],
            "first_day": self.first_day,
            "last_day": self.last_day,
            "daily": sorted([*key, n] for key, n in self.counts.items()),
            "keys": self.keys,
            "keys_from_bundle": self.keys_from_bundle,
            "problem_count": self.problem_count,
            "problems": [{"leaf": index, "what": what} for index, what in self.problems],
        }

    def lines(self) -> Iterator[str]:
        """The report for a person."""
        yield f"Log            {self.origin}"
        yield f"Leaves         {self.size}" + (f", days {self.first_day} to {self.last_day}" if self.first_day else "")
        yield f"Checked        {self.records} records" + (
            "" if self.whole else f" (a selection, {self.selection}; nothing is said of the rest)"
        )
        yield f"Erased         {self.erased} by right, each announced by an erasure leaf"
        if self.reduced:
            yield f"Reduced        {self.reduced} refusals to their daily counts, announced by a retention leaf"
        if self.pruned:
            yield f"Pruned         the first {self.pruned} leaves at the end of their retention; their counts are kept"
        yield f"Shown          {self.artefacts} notices archived, each with the digest that its records name"
        sizes = ", ".join(map(str, self.checkpoints[-3:])) or "none"
        yield f"Checkpoints    {len(self.checkpoints)} signed, of {sizes} leaves"
        yield from self._anchor_lines()
        for key in self.keys:
            yield f"Signed by      {key}"
        if self.keys_from_bundle:
            yield "               (this key came with the bundle: compare it with the one that the site published)"
        yield f"Missing        {'nothing that was sealed' if self.good else 'see below'}"
        for index, what in sorted(self.problems, key=lambda problem: (problem[0] is None, problem[0] or 0)):
            yield f"BAD            {'' if index is None else f'record {index}: '}{what}"
        if self.problem_count > len(self.problems):
            yield f"BAD            and {self.problem_count - len(self.problems)} more"
        yield "Result         " + ("everything is as it was sealed" if self.good else f"{self.problem_count} findings")

    def _anchor_lines(self) -> Iterator[str]:
        if not self.anchors:
            yield "Anchored       never: only the site's own signature says since when these records are as they are"
        for size, at, who, trusted in self.anchors[-3:]:
            yield f"Anchored       {size} leaves since {at:%Y-%m-%d %H:%M:%S} UTC, by {who}"
            if not trusted:
                yield "               (its certificate came with the bundle: name one that you trust with --tsa)"


# -- hashes (RFC 9162, section 2.1) --


def leaf_hash(entry: bytes) -> bytes:
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right).digest()


def edge_of(hashes: Iterable[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees over these hashes, largest first."""
    edge = list[bytes]()
    for size, current in enumerate(hashes):
        count, above = size, current
        while count & 1:
            above = node_hash(edge.pop(), above)
            count >>= 1
        edge.append(above)
    return edge


def root_of(edge: Sequence[bytes]) -> bytes:
    root = edge[-1]
    for left in reversed(edge[:-1]):
        root = node_hash(left, root)
    return root


def folded(hashes: bytes) -> bytes:
    """The root over as many hashes as a power of two has, joined."""
    while len(hashes) > 32:
        hashes = b"".join([_sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])
    return hashes


def included_root(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2); ``None`` if its length is not the due one."""
    if not 0 <= index < size:
        return None
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0 or len(p) != 32:
            return None
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


class Bits:
    """A set of whole numbers in one bit each."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, number: int) -> None:
        at = number >> 3
        if at >= len(self.data):
            self.data.extend(bytes(at + 1 - len(self.data)))
        self.data[at] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        return number >> 3 < len(self.data) and bool(self.data[number >> 3] & 1 << (number & 7))


# -- signed checkpoints (C2SP signed-note and tlog-checkpoint) --


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def split_note(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a signed note and its signatures, each a name and its bytes; raises ``ValueError``."""
    if any(character < " " and character != "\n" for character in text):
        raise ValueError("it has control characters")
    body, gap, tail = text.rpartition("\n\n")
    if not gap or not body or not tail.endswith("\n"):
        raise ValueError("it is not a signed note")
    signatures = []
    for line in tail[:-1].split("\n"):
        found = re.fullmatch("\u2014 ([^\\s+]+) ([A-Za-z0-9+/=]+)", line)
        if not found or len(unbase64(found[2])) < 5:
            raise ValueError("a signature line is malformed")
        signatures.append((found[1], unbase64(found[2])))
    return body + "\n", signatures


def split_checkpoint(body: str) -> tuple[str, int, bytes]:
    """Origin, size and root in the text of a checkpoint; raises ``ValueError``."""
    origin, decimal, encoded, *more = [*body.split("\n"), "", ""][: max(4, body.count("\n") + 1)]
    root = unbase64(encoded)
    if not origin or not re.fullmatch("[1-9][0-9]{0,18}", decimal) or len(root) != 32 or more != [""]:
        raise ValueError("the text is not that of a checkpoint")
    return origin, int(decimal), root


def verifier_key(vkey: str) -> tuple[tuple[str, bytes], bytes]:
    """Name and id of a key, and the key itself; raises ``ValueError``."""
    name, _, rest = vkey.partition("+")
    stated, _, encoded = rest.partition("+")
    key = unbase64(encoded)
    key_id = _sha256(name.encode() + b"\n" + key).digest()[:4]
    if not name or len(key) != 33 or key[0] != 1 or key_id.hex() != stated:
        raise ValueError(f"{vkey} is not an Ed25519 key of a signed note")
    return (name, key_id), key[1:]


def signers(body: str, signatures: list[tuple[str, bytes]], vkeys: Iterable[str]) -> list[str]:
    """Those of the keys that have signed; raises ``ValueError`` if one of their signatures is wrong."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known = {verifier_key(vkey)[0]: vkey for vkey in vkeys}
    found = []
    for name, data in signatures:
        vkey = known.get((name, data[:4]))
        if vkey is not None:
            try:
                Ed25519PublicKey.from_public_bytes(verifier_key(vkey)[1]).verify(data[4:], body.encode())
            except InvalidSignature:
                raise ValueError("the signature does not fit the text") from None
            if vkey in found:
                raise ValueError("one key has signed it twice")
            found.append(vkey)
    return found


def checkpoint(text: str, vkeys: Iterable[str]) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that one of the keys has signed; raises ``ValueError``."""
    body, signatures = split_note(text)
    if not signers(body, signatures, vkeys):
        raise ValueError("no key that is trusted here has signed it")
    return split_checkpoint(body)


# -- time stamps (RFC 3161, in the DER of X.690; of CMS, RFC 5652, only what a time stamp uses) --

_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_2 = "1.2.840.113549.1.9.16.2.47"
_PSS = "1.2.840.113549.1.1.10"
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


class Der(NamedTuple):
    """One value: its tag, its content, and all its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def items(self) -> list[Der]:
        found, at = [], 0
        while at < len(self.content):
            found.append(der(self.content[at:]))
            at += len(found[-1].whole)
        return found

    def oid(self) -> str:
        if self.tag != 6 or not self.content:
            raise ValueError("an object identifier is due")
        numbers, value = [], 0
        for byte in self.content:
            value = value << 7 | byte & 127
            if byte < 128:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def der(data: bytes) -> Der:
    """The value at the beginning of ``data``; raises ``ValueError``."""
    if len(data) < 2 or data[0] & 31 == 31:
        raise ValueError("the time stamp is cut off")
    length, start = data[1], 2
    if length > 127:
        start += length & 127
        length = int.from_bytes(data[2:start], "big")
    if start > 6 or start + length > len(data):
        raise ValueError("the time stamp is cut off")
    return Der(data[0], data[start : start + length], data[: start + length])


def time_stamp(token: bytes, text: bytes, trusted: Sequence[Any] = ()) -> tuple[datetime, str, bool]:
    """When the text was stamped, by whom, and whether one of the trusted certificates vouches for that.

    Raises ``ValueError`` unless the token is over this text and signed by a certificate for time stamps in it.
    """
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        outer = der(token).items()
        if outer[0].tag == 0x30:  # a response: its status, and the token
            if outer[0].items()[0].content not in (b"\x00", b"\x01"):
                raise ValueError("the authority has refused to stamp it")
            outer = outer[1].items()
        if outer[0].oid() != _DATA:
            raise ValueError("it is not a time stamp")
        _, _, encapsulated, *more = outer[1].items()[0].items()
        kind, content = encapsulated.items()
        certificates = [
            x509.load_der_x509_certificate(each.whole) for part in more if part.tag == 0xA0 for each in part.items()
        ]
        (signer,) = more[-1].items()
        stamped = content.items()[0].content
        signed_by = _stamper(kind.oid(), stamped, signer, certificates)
        _, _, imprint, _, moment, *_ = der(stamped).items()
        algorithm, digest = imprint.items()
        if hashlib.new(_DIGESTS[algorithm.items()[0].oid()], text).digest() != digest.content:
            raise ValueError("it was made for another text")
        at = datetime.strptime(moment.content.decode()[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        if not signed_by.not_valid_before_utc <= at <= signed_by.not_valid_after_utc:
            raise ValueError("its certificate was not valid then")
        usage = signed_by.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.TIME_STAMPING not in usage:
            raise ValueError("its certificate is not for time stamps")
        return at, signed_by.subject.rfc4514_string(), _leads_to(signed_by, certificates, trusted)
    except InvalidSignature:
        raise ValueError("its signature is wrong") from None
    except (IndexError, KeyError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise ValueError(f"it is malformed: {error!r}") from error


def _stamper(kind: str, stamped: bytes, signer: Der, certificates: list[Any]) -> Any:
    """The certificate that has signed, once the signature was verified."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    _, named, algorithm, attributes, method, signature, *_ = signer.items()
    if kind != _TST_INFO or attributes.tag != 0xA0:
        raise ValueError("it is not a time stamp")
    name = _DIGESTS[algorithm.items()[0].oid()]
    values = {each.items()[0].oid(): each.items()[1].items()[0] for each in attributes.items()}
    if values[_CONTENT_TYPE].oid() != _TST_INFO or values[_DIGEST].content != hashlib.new(name, stamped).digest():
        raise ValueError("its signature is over something else")
    found = [each for each in certificates if _is_named(each, named)]
    if not found:
        raise ValueError("the certificate of its signer is missing")
    certificate, key = found[0], found[0].public_key()
    if _SIGNING_CERTIFICATE_2 in values:
        claim = values[_SIGNING_CERTIFICATE_2].items()[0].items()[0].items()
        hashed = _DIGESTS[claim[0].items()[0].oid()] if claim[0].tag == 0x30 and len(claim[0].items()) < 3 else "sha256"
        digest = next(part for part in claim if part.tag == 4).content
        if hashlib.new(hashed, certificate.public_bytes(serialization.Encoding.DER)).digest() != digest:
            raise ValueError("it was signed with another certificate than it says")
    chosen = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[name]
    signed = b"\x31" + attributes.whole[1:]  # signed as a set, sent with a tag of its own
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
        key.verify(signature.content, signed, pss if method.items()[0].oid() == _PSS else padding.PKCS1v15(), chosen)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature.content, signed, ec.ECDSA(chosen))
    else:
        key.verify(signature.content, signed)
    return certificate


def _is_named(certificate: Any, named: Der) -> bool:
    if named.tag != 0x30:
        from cryptography import x509

        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return bool(found.digest == named.content)
    issuer, serial = named.items()
    return bool(
        certificate.issuer.public_bytes() == issuer.whole
        and certificate.serial_number == int.from_bytes(serial.content, "big", signed=True)
    )


def _leads_to(certificate: Any, between: list[Any], trusted: Sequence[Any]) -> bool:
    """Whether a chain of at most eight certificates leads to one that is trusted."""
    from cryptography.exceptions import InvalidSignature

    for _ in range(8):
        if certificate in trusted:
            return True
        for issuer in (*trusted, *between):
            try:
                certificate.verify_directly_issued_by(issuer)
            except (ValueError, TypeError, InvalidSignature):
                continue
            if issuer != certificate:
                certificate = issuer
                break
        else:
            return False
    return False


# -- one record --


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def expected_entry(payload: bytes, salt: bytes, origin: str) -> bytes:
    """The public entry that commits to this payload with this salt."""
    fields = json.loads(payload)
    commit = _sha256(b"consent-commit/v1\n" + salt + payload).digest()
    answers = fields["decisions"]
    return canonical(
        {
            "v": 1,
            "s": origin,
            "c": base64.b64encode(commit).decode(),
            "d": fields["occurred_at"][:10],
            "k": fields["event"],
            "g": sorted(key for key in answers if answers[key] == "granted"),
            "r": sorted(key for key in answers if answers[key] == "denied"),
            "p": base64.b64encode(bytes.fromhex(fields["notice_hash"])).decode(),
        }
    )


def about(text: bytes) -> str:
    """What a damaged record says about itself, for somebody who looks for it."""
    try:
        fields = json.loads(text)
        names = (
            fields.get("record_id"),
            fields.get("event") or fields.get("k"),
            fields.get("occurred_at") or fields.get("d"),
        )
        return ", ".join(str(name)[:60] for name in names if name)
    except (ValueError, AttributeError):
        return "unreadable"


_TIME = rb"T\d\d:\d\d:\d\d\.\d{3}Z"
_OWN = re.compile(  # what differs from record to record, in the order of canonical JSON
    rb'"occurred_at":"(\d{4}-\d\d-\d\d)' + _TIME + rb'","prev_record_id":(?:null|"[0-9a-f-]{36}"),'
    rb'"receipt_id":(?:null|"[0-9a-f]{32}"),"record_id":"[0-9a-f-]{36}"'
)
_UNTIL = re.compile(rb'"valid_until":"\d{4}-\d\d-\d\d' + _TIME + rb'"')
_ONCE = (b'"occurred_at":', b'"prev_record_id":', b'"receipt_id":', b'"record_id":', b'"valid_until":')


class Forms:
    """What the entries of like payloads have in common, so that of a million only the first few are parsed.

    Two payloads are alike if they differ only within the texts of :data:`_OWN` and :data:`_UNTIL`, which can't hold
    a quotation mark: then everything else in them means the same.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.known: dict[tuple[bytes, bytes, bytes], bytes] = {}

    def tail(self, payload: bytes, salt: bytes, key: tuple[bytes, bytes, bytes]) -> bytes:
        """The end of the entry of such payloads, after its day; raises whatever a malformed one leads to."""
        entry = expected_entry(payload, salt, self.origin)
        once = all(payload.count(name) == 1 for name in _ONCE) and canonical(json.loads(payload)) == payload
        if once:
            if len(self.known) >= 4096:
                self.known.clear()
            self.known[key] = entry[_DAY_END:]
        return entry[_DAY_END:]


_COMMIT, _DAY_END = 6, 67  # in an entry: where the commitment begins, and where the day has ended


class Job(NamedTuple):
    """The leaves below one tile of level 1, and where in the file their parts are (offset and size)."""

    number: int
    end: int  # the leaves of the log up to here
    upper: tuple[int, int] | None
    tiles: dict[int, tuple[int, int]]
    records: tuple[int, int] | None
    expected: range  # the leaves whose records must be here
    sizes: list[int]  # at which the right edge is asked for


class Found(NamedTuple):
    """What became of a job."""

    edges: dict[int, list[bytes]]
    problems: list[tuple[int | None, str]]
    problem_count: int
    counts: Counter[tuple[bytes, bytes]]
    records: int
    erased: int
    reduced: int


class Context(NamedTuple):
    """What every job has to know."""

    path: str
    origin: str
    artefacts: frozenset[str]
    specials: dict[int, bytes]  # leaf hashes of what was announced
    erased: Bits
    retention: list[tuple[int, str, tuple[str, ...]]]  # leaves before, days before, events
    anchors: list[tuple[int, str, str]]  # size; the days that are possible after it, and before it


class Chunk:
    """One job at work."""

    def __init__(self, context: Context, job: Job, file: IO[bytes]) -> None:
        self.context, self.job, self.file = context, job, file
        self.forms = Forms(context.origin)
        self.problems: list[tuple[int | None, str]] = []
        self.problem_count = self.records = self.erased = self.reduced = 0
        self.counts: Counter[tuple[bytes, bytes]] = Counter()
        self.unshown = set[bytes]()

    def run(self) -> Found:
        first, job = self.job.number * CHUNK, self.job
        upper = self.read(job.upper) if job.upper else b""
        lines = self.lines()
        wanted, level1, edges = sorted(job.sizes), list[bytes](), dict[int, list[bytes]]()
        for number in range(first // TILE, -(-min(job.end, first + CHUNK) // TILE)):
            start, end = number * TILE, min(job.end, (number + 1) * TILE)
            tile = self.read(job.tiles[number]) if number in job.tiles else None
            if tile is not None and len(tile) != 32 * (end - start):
                self.bad(f"the tree lacks hashes of leaves {start} to {end - 1}", start)
                tile = None
            stated = upper[number % TILE * 32 : number % TILE * 32 + 32]
            here = range(max(start, job.expected.start), min(end, job.expected.stop))
            if here:
                leaves = self.check(here, lines, tile, start)
                if tile is None and len(here) == end - start:
                    tile = b"".join(leaves)
            while wanted and wanted[0] < end:  # those at a tile's end follow when it is there
                size = wanted.pop(0)
                if tile is not None:
                    rest = tile[: 32 * (size - start)]
                    edges[size] = [*edge_of(level1), *edge_of(rest[at : at + 32] for at in range(0, len(rest), 32))]
            if end - start < TILE:
                if wanted and tile is not None:
                    edges[wanted[0]] = [
                        *edge_of(level1), *edge_of(tile[at : at + 32] for at in range(0, len(tile), 32)),
                    ]  # fmt: skip
                break
            full = folded(tile) if tile is not None else b""
            if full and stated and full != stated:
                self.bad(f"the stored tree contradicts itself: a tile over leaves {start} to {end - 1}", start)
            if not full and not stated:
                self.bad(f"neither the leaves {start} to {end - 1} nor a hash over them are here", start)
            level1.append(full or stated or bytes(32))
            while wanted and wanted[0] == end:
                edges[wanted.pop(0)] = edge_of(level1)
        extra = next(lines, None)
        if extra is not None:
            self.bad(f"there are more records than leaves ({about(extra)})", job.expected.stop)
        return Found(edges, self.problems, self.problem_count, self.counts, self.records, self.erased, self.reduced)

    def bad(self, what: str, index: int | None) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((index, what))

    def read(self, part: tuple[int, int]) -> bytes:
        self.file.seek(part[0])
        return self.file.read(min(part[1], TILE * 32 + 1))

    def lines(self) -> Iterator[bytes]:
        """The records' lines; the file may be used for other parts in between."""
        if self.job.records is None:
            return
        (at, left), rest = self.job.records, b""
        while left:
            self.file.seek(at)
            block = self.file.read(min(left, 1 << 18))
            at, left = at + len(block), left - len(block)
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield from lines
            if len(rest) > LONGEST_LINE:
                raise Unreadable("A line of the bundle's records is too long.")
        if rest:
            yield rest

    def check(self, indices: range, lines: Iterator[bytes], tile: bytes | None, start: int) -> list[bytes]:
        """Check the records of one tile; their leaf hashes, as computed."""
        context, known, counts, leaves = self.context, self.forms.known, self.counts, list[bytes]()
        erased, specials = context.erased, context.specials
        untouched = not context.erased.data[indices.start >> 3 : (indices.stop >> 3) + 1].strip(b"\0")
        later = [bound for bound in context.anchors if bound[0] > indices.start]
        floor = max((after for size, after, _ in context.anchors if size <= indices.start), default="").encode()
        ceiling = min((before for _, _, before in later), default="9").encode()
        turns = {size for size, _, _ in later if size < indices.stop}
        for index in indices:
            if index in turns:
                floor = max(after for size, after, _ in context.anchors if size <= index).encode()
                ceiling = min((before for size, _, before in later if size > index), default="9").encode()
            line = next(lines, None)
            if line is None:
                self.bad("its line is missing", index)
                leaves.append(bytes(32))
                continue
            self.records += 1
            head, _, rest = line.partition(b',"entry":')
            entry, _, payload = rest.partition(b',"payload":')
            own = _OWN.search(payload)
            until = _UNTIL.search(payload, own.end()) if own else None
            begin = b'{"i":%d,"salt":"' % index
            if own and until and head.startswith(begin) and len(head) == len(begin) + 45 and payload[-2:] == b"}}":
                payload = payload[:-1]
                encoded = head[len(begin) : -1]
                try:
                    salt = a2b_base64(encoded)
                    key = (payload[: own.start()], payload[own.end() : until.start()], payload[until.end() :])
                    end = known.get(key) or self.forms.tail(payload, salt, key)
                    commit = b2a_base64(_sha256(b"consent-commit/v1\n" + salt + payload).digest(), newline=False)
                    day = own[1]
                    if (
                        entry == b'{"c":"' + commit + b'","d":"' + day + end
                        and head[-1:] == b'"'
                        and b2a_base64(salt, newline=False) == encoded
                        and floor <= day <= ceiling
                        and (untouched or index not in erased)
                        and index not in specials
                    ):
                        leaf = _sha256(b"\x00" + entry).digest()
                        if tile is None or tile[32 * (index - start) : 32 * (index - start) + 32] == leaf:
                            if (day, end) not in counts or end in self.unshown:
                                self.shown(index, end)
                            counts[day, end] += 1
                            leaves.append(leaf)
                            continue
                except (ValueError, KeyError, TypeError, AttributeError):
                    pass  # said below, where there is time to say what is wrong
            stored = None if tile is None else tile[32 * (index - start) : 32 * (index - start) + 32]
            leaves.append(self.odd(index, line, stored, floor.decode(), ceiling.decode()))
        return leaves

    def odd(self, index: int, line: bytes, stored: bytes | None, floor: str, ceiling: str) -> bytes:
        """Check one record that isn't like the others, and say what is wrong with it; its leaf hash."""
        try:
            data = json.loads(line)
            if type(data["i"]) is not int or data["i"] != index:
                raise ValueError("the leaves are not in order")
            entry = raw(data, "entry")
            if entry is None:
                self.bad("it is missing: the tree has its leaf, but the log has not its entry", index)
                return stored or bytes(32)
            leaf = leaf_hash(entry)
            if stored is not None and leaf != stored:
                self.bad(f"its entry is not the one that was sealed ({about(entry)})", index)
                return stored
            self.judge(index, data, entry, floor, ceiling)
            return leaf
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self.bad(f"its line is damaged: {error!r}", index)
            return stored or bytes(32)

    def judge(self, index: int, data: dict[str, Any], entry: bytes, floor: str, ceiling: str) -> None:
        """Check what an entry that is in the tree says, and what is said with it."""
        fields, context = json.loads(entry), self.context
        if fields["s"] != context.origin:
            self.bad(f"it is of the log {fields['s']}", index)
        if fields["k"] in SPECIAL:
            if context.specials.get(index) != leaf_hash(entry):
                self.bad("what it announces is not in the bundle's list of announcements", index)
            return
        if index in context.specials:
            self.bad("the bundle announces something here that is not what was sealed", index)
        day = fields["d"]
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", day) or entry[57:_DAY_END].decode() != day:
            raise ValueError("its entry is not canonical")
        end = entry[_DAY_END:]
        self.counts[day.encode(), end] += 1
        if day < floor:
            self.bad(f"it says {day}, but was sealed after an authority's time stamp that it lies before", index)
        if day > ceiling:
            self.bad(f"it says {day}, but an authority had stamped it before", index)
        payload, salt = raw(data, "payload"), data.get("salt")
        if payload is None or salt is None:
            if index in context.erased:
                self.erased += 1
            elif any(index < leaf and day < until and fields["k"] in kinds for leaf, until, kinds in context.retention):
                self.reduced += 1
            else:
                self.bad("its content is missing, and no erasure leaf says why", index)
            return
        if index in context.erased:
            self.bad("an erasure leaf says that it was erased, but its content is here", index)
        try:
            fits = expected_entry(payload, unbase64(salt), context.origin) == entry
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            fits = False
        if not fits:
            self.bad(f"its content is not what was committed to ({about(payload)})", index)
        self.shown(index, end)

    def shown(self, index: int, end: bytes) -> None:
        """Check that the notice that an entry names is here."""
        digest = base64.b64decode(json.loads(b'{"d":"' + end)["p"]).hex()
        if digest and digest not in self.context.artefacts:
            self.unshown.add(end)
            self.bad(f"the notice that was shown, {digest}, is missing", index)


def raw(data: dict[str, Any], name: str) -> bytes | None:
    """The bytes of a part of a line: canonical JSON as it is, anything else as a text."""
    if name in data:
        return canonical(data[name])
    text = data.get(f"{name}_text")
    return None if text is None else text.encode()


_context: Context | None = None  # what the processes that are forked off find when they begin


def work(job: Job) -> Found:
    context = _context
    if context is None:
        raise Unreadable("The verifier has lost its way.")
    with open(context.path, "rb") as file:
        return Chunk(context, job, file).run()


# -- the bundle --

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[a-z]+)?(/[a-z0-9_-]+(\.[a-z]+)?)*(\.p/[0-9]+)?")
_TILE_NAME = re.compile(r"tile/([01])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def parts(file: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each part of a tar; raises :class:`Unreadable` for all but plain files of a bundle.

    Links, sparse and compressed files, long or absolute names and whatever follows the end are refused unread.
    """
    length, at = file.seek(0, os.SEEK_END), 0
    if length % 512:
        raise Unreadable("The bundle is cut off, or no tar.")
    while True:
        file.seek(at)
        head = file.read(512)
        if len(head) < 512:
            raise Unreadable("The bundle is cut off: its end is missing.")
        if head == bytes(512):
            break
        if head[257:262] != b"ustar":
            raise Unreadable("The bundle is no tar, or a compressed one.")
        try:
            stated, size = (int(field.strip(b" \0") or b"x", 8) for field in (head[148:156], head[124:136]))
            name = head[:100].rstrip(b"\0").decode("ascii")
        except ValueError:
            raise Unreadable("The bundle is damaged: a part's header can't be read.") from None
        if stated != sum(head[:148]) + 256 + sum(head[156:]):
            raise Unreadable("The bundle is damaged: a part's header does not have its checksum.")
        if head[156:157] not in (b"0", b"\0"):
            raise Unreadable(f"The bundle's part {name[:100]!r} is not a plain file.")
        if head[345:500].strip(b"\0") or not _NAME.fullmatch(name):
            raise Unreadable(f"The bundle has a part with an odd name: {name[:100]!r}.")
        if at + 512 + size > length:
            raise Unreadable(f"The bundle is cut off: its part {name} is not all there.")
        yield name, at + 512, size
        at += 512 + -(-size // 512) * 512
    while block := file.read(1 << 16):
        if block.strip(b"\0"):
            raise Unreadable("The bundle goes on after its end.")


class Check:
    """One bundle."""

    def __init__(
        self,
        *,
        keys: Iterable[str] = (),
        kept: Iterable[str] = (),
        authorities: Sequence[Any] = (),
        late_days: int = LATE_DAYS,
        progress: Callable[[int, int], None] | None = None,
        processes: int | None = None,
    ) -> None:
        self.report = Report()
        self.given, self.kept, self.authorities = list(keys), list(kept), authorities
        self.late, self.progress = timedelta(days=late_days), progress
        self.processes = processes
        self.small: dict[str, tuple[int, int]] = {}
        self.tiles: dict[int, dict[int, tuple[int, int]]] = {}
        self.upper: dict[int, tuple[int, int]] = {}
        self.records: dict[int, tuple[int, int]] = {}
        self.pruned = 0
        self.included = range(0)
        self.brought: list[str] = []
        self.notes: list[tuple[int, str, str, bytes]] = []  # size, name, note, root
        self.announced: list[tuple[int, dict[str, Any], bytes, list[bytes] | None]] = []
        self.carried: dict[str, Any] = {"daily": [], "keys": []}

    def run(self, path: str) -> Report:
        try:
            with open(path, "rb") as file:
                self.index(file)
                self.describe(self.parsed(file, "log.json"))
                artefacts = self.artefacts(file)
                self.checkpoints(file)
                self.announcements(file)
                anchors = self.anchors(file)
                erased, retention = self.erasures()
                specials = {index: leaf for index, _, leaf, _ in self.announced}
                context = Context(path, self.report.origin, artefacts, specials, erased, retention, anchors)
                roots = self.leaves(context)
                self.selected(file, context, roots)
                self.seals(roots)
                self.daily(file)
        except (OSError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"The bundle can't be read: {error}") from error
        return self.report

    def index(self, file: IO[bytes]) -> None:
        """Find where everything is; tiles and records by their numbers."""
        for name, at, size in parts(file):
            found = _TILE_NAME.fullmatch(name)
            if found:
                number = int(found[2].replace("x", "").replace("/", ""))
                place = self.upper if found[1] == "1" else self.tiles.setdefault(number // TILE, {})
                new = number not in place
                place[number] = (at, size)
            elif re.fullmatch(r"records/[0-9]{12}\.jsonl", name) and int(name[8:20]) % CHUNK == 0:
                number = int(name[8:20]) // CHUNK
                new = number not in self.records
                self.records[number] = (at, size)
            else:
                new = name not in self.small
                self.small[name] = (at, size)
            if not new:
                raise Unreadable(f"The bundle has two parts called {name}.")
        if not {"log.json", "daily.json", "announcements.jsonl"} <= self.small.keys():
            raise Unreadable("The bundle lacks log.json, daily.json or announcements.jsonl.")
        for name in self.small:
            if not re.fullmatch(
                r"README\.txt|verify\.py|(log|daily|pruned)\.json|(announcements|selected)\.jsonl|"
                r"checkpoints/[0-9]{12}\.note|anchors/[0-9]{12}-[0-9]+\.tsr|artefacts/[0-9a-f]{64}\.json", name
            ):  # fmt: skip
                self.report.bad(f"{name} is not a part of a bundle")

    def read(self, file: IO[bytes], name: str) -> bytes:
        at, size = self.small[name]
        if size > LARGEST_PART:
            raise Unreadable(f"The bundle's part {name} is too large.")
        file.seek(at)
        return file.read(size)

    def named(self, folder: str) -> list[str]:
        return sorted(name for name in self.small if name.startswith(folder))

    def parsed(self, file: IO[bytes], name: str) -> Any:
        try:
            return json.loads(self.read(file, name))
        except ValueError as error:
            raise Unreadable(f"The bundle's part {name} is damaged: {error}") from error

    def json_lines(self, file: IO[bytes], name: str) -> Iterator[bytes]:
        at, size = self.small.get(name, (0, 0))
        while size:
            file.seek(at)
            line = file.readline(min(size, LARGEST_PART))
            at, size = at + len(line), size - len(line)
            yield line

    def describe(self, about: Any) -> None:
        report = self.report
        try:
            if about["format"] != FORMAT:
                raise Unreadable(f"This verifier reads {FORMAT}, not {about['format']}.")
            report.origin, report.size = str(about["origin"]), int(about["size"])
            report.selection = str(about["selection"])
            first, end, self.pruned = (int(about[name]) for name in ("first", "end", "pruned"))
            self.brought = [str(key) for key in about["vkeys"]]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Unreadable(f"The bundle's part log.json is damaged: {error!r}") from error
        if not (0 <= self.pruned <= first <= end <= report.size < 1 << 40) or self.pruned % TILE or report.size < 1:
            raise Unreadable("The bundle's part log.json is damaged: its sizes contradict each other.")
        if report.whole and (first, end) != (self.pruned, report.size):
            report.bad(f"only leaves {first} to {end - 1} of {report.size} are here, and no selection is stated")
        report.pruned = self.pruned if report.whole else 0
        self.included = range(first, end)
        report.keys_from_bundle = not self.given
        report.keys = self.given or self.brought

    def artefacts(self, file: IO[bytes]) -> frozenset[str]:
        found = set()
        for name in self.named("artefacts/"):
            digest = _sha256(self.read(file, name)).hexdigest()
            if name != f"artefacts/{digest}.json":
                self.report.bad(f"{name} is not the notice that its name says")
            found.add(digest)
        self.report.artefacts = len(found)
        return frozenset(found)

    def checkpoints(self, file: IO[bytes]) -> None:
        """Read the signed checkpoints, and those that the auditor kept; signatures are checked when roots are known."""
        report = self.report
        for name in self.named("checkpoints/"):
            try:
                text = self.read(file, name).decode()
                origin, size, root = split_checkpoint(split_note(text)[0])
            except ValueError as error:
                report.bad(f"{name}: {error}")
                continue
            if origin != report.origin or name != f"checkpoints/{size:012}.note" or size > report.size:
                report.bad(f"{name} is the checkpoint of another log or size")
                continue
            self.notes.append((size, name, text, root))
        for text in self.kept:
            try:
                origin, size, root = checkpoint(text, [*self.given, *self.brought])
            except ValueError as error:
                report.bad(f"the checkpoint that you kept can't be compared: {error}")
                continue
            if origin != report.origin:
                report.bad(f"the checkpoint that you kept is of the log {origin}")
            elif size > report.size:
                report.bad(
                    f"the log has lost its end: you kept a checkpoint of {size} leaves, and {report.size} are here"
                )
            else:
                self.notes.append((size, "", text, root))

    def announcements(self, file: IO[bytes]) -> None:
        """Read the leaves that are no decisions: what was erased, reduced or pruned, and new keys."""
        for number, line in enumerate(self.json_lines(file, "announcements.jsonl"), start=1):
            try:
                data = json.loads(line)
                index, entry = data["i"], raw(data, "entry") or b""
                fields = json.loads(entry)
                proof = [unbase64(each) for each in data["proof"]] if "proof" in data else None
                if type(index) is not int or not 0 <= index < self.report.size or fields["k"] not in SPECIAL:
                    raise ValueError("it announces nothing")
                if proof is None and index not in self.included:
                    raise ValueError("its proof is missing")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.report.bad(f"line {number} of announcements.jsonl is damaged: {error!r}")
                continue
            self.announced.append((index, fields, leaf_hash(entry), proof))
        if self.pruned:
            self.carry(file)

    def carry(self, file: IO[bytes]) -> None:
        """Read what was kept of pruned leaves, their counts and keys, and find the leaf that says so."""
        data = self.read(file, "pruned.json") if "pruned.json" in self.small else b""
        digest = base64.b64encode(_sha256(data).digest()).decode()
        if not any(
            fields["k"] == "prune" and fields.get("to") == self.pruned and fields.get("h") == digest
            for _, fields, _, _ in self.announced
        ):
            self.report.bad(f"the leaves 0 to {self.pruned - 1} are missing, and no prune leaf says why")
            return
        self.carried = json.loads(data)

    def anchors(self, file: IO[bytes]) -> list[tuple[int, str, str]]:
        """Verify the time stamps of checkpoints; which days they leave possible, for what came before and after."""
        notes, bounds = {size: text for size, name, text, _ in self.notes if name}, []
        for name in self.named("anchors/"):
            size = int(name[8:20])
            try:
                if size not in notes:
                    raise ValueError("the checkpoint that it stamps is missing")
                at, who, trusted = time_stamp(self.read(file, name), notes[size].encode(), self.authorities)
            except ValueError as error:
                self.report.bad(f"{name}: {error}")
                continue
            self.report.anchors.append((size, at, who, trusted))
            after, before = (at - self.late).date().isoformat(), (at + timedelta(days=1)).date().isoformat()
            bounds.append((size, after, before))
        self.report.anchors.sort(key=lambda anchor: anchor[:2])
        return sorted(bounds)

    def erasures(self) -> tuple[Bits, list[tuple[int, str, tuple[str, ...]]]]:
        erased, retention = Bits(), []
        for index, fields, _, _ in self.announced:
            try:
                if fields["k"] == "erasure":
                    for each in fields["i"]:
                        if type(each) is not int or not 0 <= each < index:
                            raise ValueError("it announces an erasure of what came later")
                        erased.add(each)
                elif fields["k"] == "retention":
                    retention.append((index, str(fields["until"]), tuple(map(str, fields["e"]))))
            except (ValueError, KeyError, TypeError) as error:
                self.report.bad(f"its announcement is malformed: {error}", index)
        return erased, retention

    def jobs(self) -> Iterator[Job]:
        size = self.report.size
        sizes = {size, *(each for each, _, _, _ in self.notes)}
        for number in range(-(-size // CHUNK)):
            start, end = number * CHUNK, min(size, (number + 1) * CHUNK)
            here = range(max(start, self.included.start), min(end, self.included.stop))
            yield Job(
                number, size, self.upper.get(number), self.tiles.get(number, {}), self.records.get(number),
                here if here else range(start, start), [each for each in sizes if start < each <= end],
            )  # fmt: skip

    def leaves(self, context: Context) -> dict[int, bytes]:
        """Check all records; the root of the tree at each size that a checkpoint speaks of."""
        report, roots, below = self.report, dict[int, bytes](), list[bytes]()
        counts: Counter[tuple[bytes, bytes]] = Counter()
        for number, found in enumerate(self.found(context)):
            for size, edge in found.edges.items():
                roots[size] = root_of([*edge_of(below), *edge])
            full = found.edges.get((number + 1) * CHUNK)
            below.append(full[0] if full else bytes(32))
            for index, what in found.problems:
                report.bad(what, index)
            report.problem_count += found.problem_count - len(found.problems)
            report.records += found.records
            report.erased += found.erased
            report.reduced += found.reduced
            counts.update(found.counts)
            if self.progress is not None:
                self.progress(min((number + 1) * CHUNK, report.size), report.size)
        self.count(counts)
        return roots

    def found(self, context: Context) -> Iterator[Found]:
        """Each job's outcome in order: in several processes where there is much to do and they are to be had."""
        global _context
        jobs = [job._replace(sizes=[*{*job.sizes, (job.number + 1) * CHUNK}]) for job in self.jobs()]
        for job in jobs:
            if (job.number + 1) * CHUNK > job.end:
                job.sizes.remove((job.number + 1) * CHUNK)
        processes = self.processes or min(os.cpu_count() or 1, 4, len(jobs) // 2)
        _context = context
        if processes < 2 or "fork" not in multiprocessing.get_all_start_methods() or threading.active_count() > 1:
            yield from map(work, jobs)
            return
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            yield from pool.imap(work, jobs)

    def count(self, counts: Counter[tuple[bytes, bytes]]) -> None:
        report = self.report
        for (day, end), n in counts.items():
            fields = json.loads(b'{"d":"' + end)
            report.counts[day.decode(), fields["k"], canonical({"g": fields["g"], "r": fields["r"]}).decode()] += n
        days = [day for day, _, _ in report.counts]
        report.first_day, report.last_day = min(days, default=""), max(days, default="")

    def selected(self, file: IO[bytes], context: Context, roots: dict[int, bytes]) -> None:
        """Check the records, and the announcements, that come with a proof of their own."""
        report, counts = self.report, Counter[tuple[bytes, bytes]]()
        top = max((note for note in self.notes if note[0] == report.size and note[1]), default=None)
        root = top[3] if top else roots.get(report.size)
        for at, _, leaf, proof in self.announced:
            if proof is not None and included_root(at, report.size, leaf, proof) != root:
                report.bad("its proof does not lead to the signed root", at)
        chunk = Chunk(context, Job(0, report.size, None, {}, None, range(0), []), file)
        for line in self.json_lines(file, "selected.jsonl"):
            report.records += 1
            index: Any = None
            try:
                data = json.loads(line)
                index, entry, proof = data["i"], raw(data, "entry"), [unbase64(each) for each in data["proof"]]
                leaf = unbase64(data["leaf"]) if entry is None else leaf_hash(entry)
                if type(index) is not int or included_root(index, report.size, leaf, proof) != root:
                    report.bad("its proof does not lead to the signed root", index)
                elif entry is None:
                    report.bad("it is missing: the tree has its leaf, but the log has not its entry", index)
                else:
                    chunk.judge(index, data, entry, "", "9")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                report.bad(f"line {report.records} of selected.jsonl is damaged: {error!r}", index)
        for where, what in chunk.problems:
            report.bad(what, where)
        report.erased, report.reduced = report.erased + chunk.erased, report.reduced + chunk.reduced
        counts.update(chunk.counts)
        if counts:
            self.count(counts)

    def seals(self, roots: dict[int, bytes]) -> None:
        """Compare each checkpoint with the tree, and follow the keys from those trusted to their successors."""
        report = self.report
        turns = [(index, str(fields.get("vkey"))) for index, fields, _, _ in self.announced if fields["k"] == "key"]
        turns = sorted([*((0, str(key)) for key in self.carried["keys"]), *turns])
        trusted, before = set(report.keys), 0
        signed = [note for note in sorted(self.notes) if note[1]]
        for size, name, text, root in sorted(self.notes):
            known = roots.get(size)
            if known is not None and known != root:
                if not name:
                    report.bad(f"this is another history than the one that you kept a checkpoint of, at {size} leaves")
                    continue
                report.bad(
                    f"the checkpoint of {size} leaves has another root: "
                    f"leaves from {before} to {size - 1} were changed, removed, added or put in another order"
                )
            if known is None and not name:
                report.bad(f"the checkpoint that you kept, of {size} leaves, can't be compared with this selection")
            if not name:
                continue
            if known is None:
                report.bad(f"the checkpoint of {size} leaves can't be compared: hashes of the tree are missing")
            try:
                body, signatures = split_note(text)
                by = signers(body, signatures, [*trusted, *self.brought])
                newest = next((vkey for index, vkey in reversed(turns) if index < size), None)
                if not trusted.intersection(by) and (size == report.size or not by):
                    raise ValueError("no key that is trusted here has signed it")
                if newest in trusted and newest not in by:
                    raise ValueError("a key that was replaced has signed it, and its successor has not")
            except ValueError as error:
                report.bad(f"{name}: {error}")
                continue
            if trusted.intersection(by) and known == root:
                trusted |= {vkey for index, vkey in turns if index < size}
            report.checkpoints.append(size)
            before = size
        if not signed or signed[-1][0] != report.size or report.size not in report.checkpoints:
            report.bad(f"no valid checkpoint has the size of the log, {report.size} leaves")

    def daily(self, file: IO[bytes]) -> None:
        stated = self.parsed(file, "daily.json")
        if not self.report.whole:
            return
        counts = Counter(self.report.counts)
        try:
            for day, kind, choices, n in self.carried["daily"]:
                counts[day, kind, choices] += n
        except (TypeError, ValueError):
            self.report.bad("the counts of the pruned leaves are malformed")
        if stated != sorted([*key, n] for key, n in counts.items()):
            self.report.bad("the counts of the days are not those of the records")


def verify(
    path: str,
    *,
    keys: Iterable[str] = (),
    kept: Iterable[str] = (),
    authorities: Iterable[bytes] = (),
    late_days: int = LATE_DAYS,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
) -> Report:
    """Check the bundle at ``path``, or raise :class:`Unreadable`.

    Trusted are the ``keys``, the checkpoints ``kept``, and time-stamping ``authorities`` (certificates in PEM). A
    record may be ``late_days`` older than a time stamp that it came after.
    """
    from cryptography import x509

    try:
        certificates = [each for pem in authorities for each in x509.load_pem_x509_certificates(pem)]
        for key in (keys := list(keys)):
            verifier_key(key)
    except ValueError as error:
        raise Unreadable(f"What you trust can't be read: {error}") from error
    check = Check(
        keys=keys, kept=kept, authorities=certificates, late_days=late_days, progress=progress, processes=processes
    )
    return check.run(path)


def say(done: int, of: int) -> None:
    """How far it is, on a terminal alone."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {of} checked " + ("\n" if done >= of else ""))
        sys.stderr.flush()


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        self.exit(3, f"{self.format_usage()}{message}\n")


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(description="Check a bundle of consent records.")
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[], metavar="VKEY")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="NOTE")
    parser.add_argument("--tsa", action="append", default=[], metavar="PEM")
    parser.add_argument("--late", type=int, default=LATE_DAYS, metavar="DAYS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        kept, authorities = [], []
        for name in options.checkpoint:
            with open(name, encoding="utf-8", newline="") as file:
                kept.append(file.read())
        for name in options.tsa:
            with open(name, "rb") as pem:
                authorities.append(pem.read())
        report = verify(
            options.bundle, keys=options.key, kept=kept, authorities=authorities, late_days=options.late, progress=say
        )
    except (Unreadable, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = json.dumps(report.as_data(), indent=1) if options.json else "\n".join(report.lines())
    sys.stdout.write(text + "\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
