#!/usr/bin/env python3
"""Checks a bundle of consent records without trusting the site that made it, nor any of its software.

Usage: python verify.py BUNDLE.tar [--key VKEY]... [--checkpoint NOTE]... [--json]

Needs Python 3.11 and the package "cryptography", nothing else. It reads the bundle once, from beginning to end, in
constant memory. Exit code 0: all is as it was sealed; 1: something is not, and the first bad record is named; 2: the
bundle can't be read. The keys that the bundle brings are used unless --key names the one that you were given from
elsewhere. --checkpoint takes a file with a checkpoint that you kept from an earlier visit: only that shows whether the
site has since rewritten its whole log, or cut off its end. One file on purpose: it travels in the bundle.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

FORMAT = "consent-bundle/1"
LARGEST_PART = 64 << 20  # of what is read at once; the records are read line by line
MOST_PROBLEMS = 100  # that are kept; the rest is counted


class Unreadable(Exception):  # noqa: N818 - it names what happened, as an auditor would
    """The bundle is not one, or lacks what is needed to check it."""


class Report:
    """What was checked and what was found; ``problems`` are pairs of a leaf's index, or none, and a sentence."""

    def __init__(self) -> None:
        self.origin = ""
        self.size = 0
        self.records = 0
        self.whole = True
        self.artefacts = 0
        self.checkpoints: list[int] = []
        self.erased = 0
        self.first_day = self.last_day = ""
        self.keys: list[str] = []
        self.keys_from_bundle = True
        self.problems: list[tuple[int | None, str]] = []
        self.problem_count = 0
        self.counts: Counter[tuple[str, str, str]] = Counter()

    @property
    def good(self) -> bool:
        return self.problem_count == 0

    def bad(self, what: str, index: int | None = None) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((index, what))

    def as_data(self) -> dict[str, Any]:
        return {
            "good": self.good,
            "origin": self.origin,
            "size": self.size,
            "records": self.records,
            "whole_log": self.whole,
            "erased": self.erased,
            "artefacts": self.artefacts,
            "checkpoints": self.checkpoints,
            "first_day": self.first_day,
            "last_day": self.last_day,
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
            "" if self.whole else " (a selection; nothing is said of the rest)"
        )
        yield f"Erased         {self.erased} by right, each announced by an erasure leaf"
        yield f"Shown          {self.artefacts} notices archived, each with the digest that its records name"
        sizes = ", ".join(map(str, self.checkpoints[-3:])) or "none"
        yield f"Checkpoints    {len(self.checkpoints)} signed, of {sizes} leaves"
        for key in self.keys:
            yield f"Signed by      {key}"
        if self.keys_from_bundle:
            yield "               (this key came with the bundle: compare it with the one that the site published)"
        for index, what in self.problems:
            yield f"BAD            {'' if index is None else f'record {index}: '}{what}"
        if self.problem_count > len(self.problems):
            yield f"BAD            and {self.problem_count - len(self.problems)} more"
        yield "Result         " + ("everything is as it was sealed" if self.good else f"{self.problem_count} findings")


# -- hashes (RFC 9162, section 2.1) --


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The right edge of a tree that grows leaf by leaf."""

    def __init__(self) -> None:
        self.size, self.edge = 0, list[bytes]()

    def append(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = node_hash(self.edge.pop(), leaf)
            size >>= 1
        self.edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        root = self.edge[-1] if self.edge else hashlib.sha256(b"").digest()
        for left in reversed(self.edge[:-1]):
            root = node_hash(left, root)
        return root


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
        self.data, self.count = bytearray(), 0

    def add(self, number: int) -> bool:
        """Put it in; whether it was not there before."""
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(self.data):
            self.data.extend(bytes(at + 1 - len(self.data)))
        new = not self.data[at] & bit
        self.data[at] |= bit
        self.count += new
        return new

    def __contains__(self, number: int) -> bool:
        return number >> 3 < len(self.data) and bool(self.data[number >> 3] & 1 << (number & 7))

    def __iter__(self) -> Iterator[int]:
        return (at * 8 + bit for at, byte in enumerate(self.data) if byte for bit in range(8) if byte & 1 << bit)


# -- signed checkpoints (C2SP signed-note and tlog-checkpoint) --


def unbase64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def checkpoint(text: str, vkeys: Iterable[str]) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that one of the keys has signed; raises ``ValueError``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    body, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise ValueError("not a signed note")
    body += "\n"
    keys = {}
    for vkey in vkeys:
        name, _, rest = vkey.partition("+")
        stated, _, encoded = rest.partition("+")
        key = unbase64(encoded)
        key_id = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
        if len(key) != 33 or key[0] != 1 or key_id.hex() != stated:
            raise ValueError(f"{vkey} is not an Ed25519 key of a signed note")
        keys[name, key_id] = Ed25519PublicKey.from_public_bytes(key[1:])
    signed = False
    for line in tail[:-1].split("\n"):
        found = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)", line)
        if not found:
            raise ValueError("a signature line is malformed")
        data = unbase64(found[2])
        public = keys.get((found[1], data[:4]))
        if public is not None:
            try:
                public.verify(data[4:], body.encode())
            except InvalidSignature:
                raise ValueError("the signature does not fit the text") from None
            signed = True
    if not signed:
        raise ValueError("no key that is trusted here has signed it")
    origin, decimal, encoded, *more = body.split("\n")
    root = unbase64(encoded)
    if not origin or not re.fullmatch("[1-9][0-9]{0,18}", decimal) or len(root) != 32 or more != [""]:
        raise ValueError("the text is not that of a checkpoint")
    return origin, int(decimal), root


# -- one record --


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def expected_entry(payload: bytes, salt: bytes, origin: str) -> bytes:
    """The public entry that commits to this payload with this salt."""
    fields = json.loads(payload)
    commit = hashlib.sha256(b"consent-commit/v1\n" + salt + payload).digest()
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


# -- the bundle --


class Check:
    """One pass over one bundle."""

    def __init__(self, keys: Iterable[str], kept: Iterable[str], progress: Callable[[int, int], None] | None) -> None:
        self.report = Report()
        self.keys, self.kept, self.progress = list(keys), list(kept), progress
        self.tree = Tree()
        self.roots: dict[int, tuple[bytes, str]] = {}
        self.artefacts: set[str] = set()
        self.lacking, self.announced = Bits(), Bits()
        self.daily: Any = None
        self.seen: set[str] = set()

    def run(self, path: str) -> Report:
        try:
            with tarfile.open(path, "r:") as tar:
                for member in tar:
                    if member.name in self.seen:
                        raise Unreadable(f"The bundle has two parts called {member.name}.")
                    if not member.isreg():
                        raise Unreadable(f"The bundle's part {member.name} is not a file.")
                    self.seen.add(member.name)
                    file = tar.extractfile(member)
                    if file is not None:
                        self.part(member.name, member.size, file)
        except (OSError, tarfile.TarError, EOFError) as error:
            raise Unreadable(f"The bundle can't be read: {error}") from error
        if not {"log.json", "records.jsonl", "daily.json"} <= self.seen:
            raise Unreadable("The bundle lacks log.json, records.jsonl or daily.json.")
        self.finish()
        return self.report

    def part(self, name: str, size: int, file: Any) -> None:
        report = self.report
        if name == "records.jsonl":
            self.begin_records()
            for line in io.BufferedReader(file, 1 << 20):
                self.record(line)
            return
        if size > LARGEST_PART:
            raise Unreadable(f"The bundle's part {name} is too large.")
        data = file.read()
        if name == "log.json":
            self.describe(self.parsed(name, data))
        elif name.startswith("checkpoints/"):
            self.checkpoint(name, data)
        elif name.startswith("artefacts/"):
            digest = hashlib.sha256(data).hexdigest()
            if name != f"artefacts/{digest}.json":
                report.bad(f"{name} is not the notice that its name says")
            self.artefacts.add(digest)
            report.artefacts += 1
        elif name == "daily.json":
            self.daily = self.parsed(name, data)
        elif name not in ("README.txt", "verify.py"):
            report.bad(f"{name} is not a part of a bundle")

    def parsed(self, name: str, data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError as error:
            raise Unreadable(f"The bundle's part {name} is damaged: {error}") from error

    def describe(self, about: Any) -> None:
        report = self.report
        try:
            if about["format"] != FORMAT:
                raise Unreadable(f"This verifier reads {FORMAT}, not {about['format']}.")
            report.origin, report.size = str(about["origin"]), int(about["size"])
            report.whole = bool(about["whole"])
            brought = [str(key) for key in about["vkeys"]]
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable(f"The bundle's part log.json is damaged: {error!r}") from error
        report.keys_from_bundle = not self.keys
        report.keys = self.keys = self.keys or brought

    def checkpoint(self, name: str, data: bytes) -> None:
        try:
            origin, size, root = checkpoint(data.decode(), self.keys)
        except ValueError as error:
            self.report.bad(f"{name}: {error}")
            return
        if origin != self.report.origin or name != f"checkpoints/{size:012}.note" or size > self.report.size:
            self.report.bad(f"{name} is the checkpoint of another log or size")
            return
        self.roots[size] = (root, name)
        self.report.checkpoints = sorted(self.roots)

    def begin_records(self) -> None:
        report = self.report
        if "log.json" not in self.seen:
            raise Unreadable("The bundle's parts are out of order.")
        for text in self.kept:
            try:
                origin, size, root = checkpoint(text, self.keys)
            except ValueError as error:
                report.bad(f"the checkpoint that you kept can't be compared: {error}")
                continue
            if origin != report.origin:
                report.bad(f"the checkpoint that you kept is of the log {origin}")
            elif size > report.size:
                report.bad(
                    f"the log has lost its end: you kept a checkpoint of {size} leaves, and {report.size} are here"
                )
            elif self.roots.setdefault(size, (root, "kept"))[0] != root:
                report.bad(f"this is another history than the one you kept a checkpoint of, at {size} leaves")
            elif not report.whole and size != report.size:
                report.bad(f"a selection can't be compared with a checkpoint of {size} leaves; ask for the whole log")
        if report.size not in self.roots:
            report.bad(f"no valid checkpoint has the size of the log, {report.size} leaves")

    def record(self, line: bytes) -> None:
        report, number, index = self.report, self.report.records, None
        report.records += 1
        try:
            data = json.loads(line)
            index, leaf, text = data["i"], unbase64(data["leaf"]), data["entry"]
            payload, salt = data.get("payload"), data.get("salt")
            if type(index) is not int or (report.whole and index != number):
                raise ValueError("the leaves are not in order")
            if report.whole:
                self.grow(index, leaf)
            else:
                self.prove(index, leaf, [unbase64(each) for each in data["proof"]])
            if text is None:
                report.bad("it is missing: the tree has its leaf, but the log has not its entry", index)
                return
            entry = text.encode()
            if leaf_hash(entry) != leaf:
                report.bad(f"its entry is not the one that was sealed ({about(text)})", index)
                return
            self.entry(index, json.loads(entry), payload, salt, entry)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            report.bad(f"line {number + 1} of records.jsonl is damaged: {error!r}", index)
        if self.progress is not None and report.records % 20_000 == 0:
            self.progress(report.records, report.size)

    def grow(self, index: int, leaf: bytes) -> None:
        if len(leaf) != 32:
            raise ValueError("a leaf's hash has 32 bytes")
        self.tree.append(leaf)
        known = self.roots.get(index + 1)
        if known is not None and known[0] != self.tree.root():
            before = max((size for size in self.report.checkpoints if size <= index), default=0)
            if known[1] == "kept":
                self.report.bad(
                    f"this is another history than the one that you kept a checkpoint of, at {index + 1} leaves"
                )
                return
            self.report.bad(
                f"the checkpoint of {index + 1} leaves has another root: "
                f"leaves from {before} to {index} were changed, removed, added or put in another order"
            )

    def prove(self, index: int, leaf: bytes, proof: list[bytes]) -> None:
        root, _ = self.roots.get(self.report.size, (None, ""))
        if root is not None and included_root(index, self.report.size, leaf, proof) != root:
            self.report.bad("its proof does not lead to the signed root", index)

    def entry(self, index: int, fields: dict[str, Any], payload: Any, salt: Any, entry: bytes) -> None:
        report = self.report
        if fields["s"] != report.origin:
            report.bad(f"it is of the log {fields['s']}", index)
        if fields["k"] == "erasure":
            for erased in fields["i"]:
                if not 0 <= erased < index:
                    report.bad("it announces an erasure of what came later", index)
                else:
                    self.announced.add(erased)
            return
        day = fields["d"]
        report.first_day = min(report.first_day or day, day)
        report.last_day = max(report.last_day, day)
        report.counts[day, fields["k"], canonical({"g": fields["g"], "r": fields["r"]}).decode()] += 1
        if payload is None or salt is None:
            self.lacking.add(index)
            return
        try:
            fits = expected_entry(payload.encode(), unbase64(salt), report.origin) == entry
        except (ValueError, KeyError, TypeError, AttributeError):
            fits = False
        if not fits:
            report.bad(f"its content is not what was committed to ({about(payload)})", index)
        shown = base64.b64decode(fields["p"]).hex()
        if shown and shown not in self.artefacts:
            report.bad(f"the notice that was shown, {shown}, is missing", index)

    def finish(self) -> None:
        report = self.report
        if report.whole and report.records != report.size:
            report.bad(f"the log has {report.size} leaves, but {report.records} records are here")
        for index in self.lacking:
            if index in self.announced:
                report.erased += 1
            elif report.whole:
                report.bad("its content is missing, and no erasure leaf says why", index)
            else:
                report.bad("its content is missing; the whole log would show whether it was erased by right", index)
        for index in self.announced if report.whole else ():
            if index not in self.lacking:
                report.bad("an erasure leaf says that it was erased, but its content is here", index)
        if report.whole:
            counted = sorted([*key, n] for key, n in report.counts.items())
            if self.daily != counted:
                report.bad("the counts of the days are not those of the records")


def about(text: str) -> str:
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


def verify(
    path: str,
    *,
    keys: Iterable[str] = (),
    kept: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Check the bundle at ``path`` with the trusted ``keys`` against ``kept`` checkpoints, or raise ``Unreadable``."""
    return Check(keys, kept, progress).run(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check a bundle of consent records.")
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[], metavar="VKEY")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="NOTE")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        kept = []
        for name in options.checkpoint:
            with open(name, encoding="utf-8", newline="") as file:
                kept.append(file.read())
        report = verify(options.bundle, keys=options.key, kept=kept)
    except (Unreadable, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = json.dumps(report.as_data(), indent=1) if options.json else "\n".join(report.lines())
    sys.stdout.write(text + "\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
