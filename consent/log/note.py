"""Signed notes: a short text with Ed25519 signatures below it (C2SP signed-note).

Signatures of unknown keys are ignored, those of a known key must be right, and everything malformed is refused:
verification raises :class:`consent.errors.NoteError` and nothing else. cryptography is loaded on first use.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consent.errors import NoteError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = 0x01
LARGEST: Final = 1_000_000  # bytes; a checkpoint has some hundred
MOST_SIGNATURES: Final = 100
_DASH: Final = "\u2014 "
_PRIVATE: Final = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed: the key's name and the first four bytes of its digest, as one number in the spec's order."""

    name: str
    key_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text that at least one trusted key has signed; ``signatures`` are only those that were verified."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """One trusted public key and its name."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def of(cls, vkey: str) -> Verifier:
        """The key written as ``name+hash+base64``, with the hash recomputed and compared."""
        if not isinstance(vkey, str):
            raise NoteError("A verifier key must be a text.")
        name, _, rest = vkey.partition("+")
        digest, _, data = rest.partition("+")
        _check_name(name)
        key = _unbase64(data, "verifier key")
        if len(key) != 33 or key[0] != ED25519:
            raise NoteError(f"The verifier key {name!r} is not an Ed25519 key.")
        if digest != key_id(name, key).hex():
            raise NoteError(f"The verifier key {name!r} does not have the hash that it states.")
        return cls(name=name, key_id=key_id(name, key), public=key[1:])

    def check(self, text: bytes, signature: bytes) -> None:
        """Raise unless ``signature`` (64 bytes) is this key's over ``text``."""
        from cryptography.exceptions import InvalidSignature

        try:
            _public(self.public).verify(signature, text)
        except (InvalidSignature, ValueError):
            raise NoteError(f"The signature of {self.name!r} does not fit the text.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key and its name; :attr:`vkey` is what those who verify are given."""

    name: str
    seed: bytes

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new key of this name, from the system's randomness."""
        import secrets

        _check_name(name)
        return cls(name=name, seed=secrets.token_bytes(32))

    @classmethod
    def of(cls, skey: str) -> Signer:
        """The key that :attr:`skey` wrote; raises :class:`NoteError` on anything else."""
        if not isinstance(skey, str) or not skey.startswith(_PRIVATE):
            raise NoteError("This is not a signing key.")
        name, _, rest = skey.removeprefix(_PRIVATE).partition("+")
        digest, _, data = rest.partition("+")
        _check_name(name)
        key = _unbase64(data, "signing key")
        if len(key) != 33 or key[0] != ED25519:
            raise NoteError(f"The signing key {name!r} is not an Ed25519 key.")
        signer = cls(name=name, seed=key[1:])
        if digest != signer.key_id.hex():
            raise NoteError(f"The signing key {name!r} does not have the hash that it states.")
        return signer

    def __repr__(self) -> str:
        return f"Signer(name={self.name!r})"  # never the seed

    @property
    def key_id(self) -> bytes:
        return key_id(self.name, bytes([ED25519]) + self._public())

    @property
    def vkey(self) -> str:
        key = bytes([ED25519]) + self._public()
        return f"{self.name}+{self.key_id.hex()}+{b64encode(key).decode()}"

    @property
    def skey(self) -> str:
        return f"{_PRIVATE}{self.name}+{self.key_id.hex()}+{b64encode(bytes([ED25519]) + self.seed).decode()}"

    def sign(self, text: bytes) -> bytes:
        """The 64-byte signature; the same text always gives the same bytes (RFC 8032)."""
        return self._private().sign(text)

    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _public(self) -> bytes:
        return self._private().public_key().public_bytes_raw()


def verify(text: str, vkeys: Iterable[str]) -> Note:
    """The note in ``text``, signed by at least one of the keys ``vkeys``; raises :class:`NoteError` otherwise."""
    if not isinstance(vkeys, list | tuple | set | frozenset):
        raise NoteError("The verifier keys must be a list.")
    known = {(key.name, key.key_id): key for key in map(Verifier.of, vkeys)}
    body, lines = split(text)
    verified = []
    for signature, data in lines:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is not None:
            verifier.check(body.encode(), data)
            verified.append(signature)
    if not verified:
        raise NoteError("No trusted key has signed this note.")
    if len(set(verified)) != len(verified):
        raise NoteError("One key has signed this note twice.")
    return Note(text=body, signatures=tuple(verified))


def split(text: str) -> tuple[str, list[tuple[Signature, bytes]]]:
    """The text of a note, with its final newline, and its signatures, none of them verified."""
    if not isinstance(text, str):
        raise NoteError("A note must be a text.")
    _check_text(text)
    body, gap, tail = text.rpartition("\n\n")
    if not gap or not body:
        raise NoteError("A note needs a text, an empty line and signatures.")
    if not tail.endswith("\n"):
        raise NoteError("A note must end in a newline.")
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteError(f"A note may have {MOST_SIGNATURES} signatures.")
    return body + "\n", [_signature(line) for line in lines]


def sign(text: str, signers: Iterable[Signer]) -> str:
    """The note of this text, which ends in a newline, with a signature line for each signer, in order."""
    _check_text(text)
    if not text.endswith("\n") or text == "\n":
        raise NoteError("The text of a note must have lines, and end in a newline.")
    lines = [
        f"{_DASH}{signer.name} {b64encode(signer.key_id + signer.sign(text.encode())).decode()}\n" for signer in signers
    ]
    if not lines:
        raise NoteError("A note needs a signature.")
    return f"{text}\n{''.join(lines)}"


def key_id(name: str, key: bytes) -> bytes:
    """The four bytes by which a note names a key: of SHA-256 over the name, a newline, and the typed public key."""
    return hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]


def _signature(line: str) -> tuple[Signature, bytes]:
    if not line.startswith(_DASH):
        raise NoteError("A signature line must begin with an em dash and a space.")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    _check_name(name)
    data = _unbase64(encoded, "signature")
    if len(data) < 5:
        raise NoteError(f"The signature of {name!r} is too short.")
    return Signature(name=name, key_id=data[:4]), data[4:]


def _check_text(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise NoteError("A note must be valid UTF-8.") from None
    if size > LARGEST:
        raise NoteError(f"A note may have {LARGEST} bytes.")
    if any(character < " " and character != "\n" for character in text):
        raise NoteError("A note may hold no control characters but newlines.")


def _check_name(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise NoteError("A key's name must be valid UTF-8.") from None
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise NoteError("A key's name must be non-empty, without spaces, control characters or a plus sign.")


def _unbase64(text: str, what: str) -> bytes:
    """The bytes of canonical base64 (RFC 4648, section 4); two spellings of one signature would be malleable."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise NoteError(f"The {what} is not base64.") from None
    if b64encode(data).decode() != text:
        raise NoteError(f"The {what} is not canonical base64.")
    return data


def _public(data: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(data)
