"""What a site declares: its services, the categories they are shown in, and the digest of what is asked.

Standard library only; no I/O, no clock. :func:`consent.config.load` makes a :class:`Policy` from ``consent.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from consent.errors import UnknownKeyError
from consent.material import Locked as Locked
from consent.material import Material as Material
from consent.material import MaterialVersion as MaterialVersion
from consent.material import sha256

NECESSARY: Final = "necessary"
STORAGE_KINDS: Final = (
    "cookie", "local_storage", "session_storage", "indexeddb", "cache_storage", "service_worker",
    "pixel", "script", "url_decoration", "fingerprint", "etag",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageItem:
    """One thing a service stores on, or reads from, the visitor's device (ePrivacy Directive Art. 5(3)).

    ``name`` may end in or contain ``*`` as in a glob. ``days`` is the life time, 0 for the browser session and
    ``None`` where nothing expires it; ``lasts`` is the same in words, as declared. ``path`` and ``domain`` are
    where a first-party cookie is set, so that it can be expired there.
    """

    name: str
    kind: str = "cookie"
    lasts: str = "session"
    days: float | None = 0
    purpose: str = ""
    party: str = "first"
    path: str = "/"
    domain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A technology or recipient that a visitor can allow or refuse on its own.

    ``load`` are ``host`` or ``host/path`` patterns (``*`` as in a glob), ``inline`` the tokens that give an inline
    script away. ``legal_basis`` is ``"consent"`` or ``"necessary"``; a necessary one needs ``exempt_reason``.
    ``on_request`` names the routes (``*`` as in a glob) on which a visitor has asked for the service by going
    there, so that it is necessary on those only (ePrivacy Directive Art. 5(3), second sentence).
    """

    key: str
    category: str
    name: str
    purpose: str
    provider: str = ""
    country: str = ""
    privacy_policy: str = ""
    legal_basis: str = "consent"
    exempt_reason: str = ""
    reviewed_by: str = ""
    reviewed_on: date | None = None
    recipients: tuple[str, ...] = ()
    processing_countries: tuple[str, ...] = ()
    transfer: str = ""
    provider_retention: str = ""
    load: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    gpc: bool = False
    on_request: tuple[str, ...] = ()
    storage: tuple[StorageItem, ...] = ()
    embed: str = ""
    opt_out: str = ""
    catalogue: str = ""

    @property
    def is_necessary(self) -> bool:
        return self.legal_basis == NECESSARY

    def material(self, controller: str) -> Material:
        """The facts of this service that a visitor's answer depends on."""
        return Material(
            purpose=self.category,
            controller=_folded(controller),
            provider=_folded(self.provider),
            legal_basis=self.legal_basis,
            recipients=tuple(sorted({_folded(name) for name in self.recipients})),
            countries=tuple(sorted({self.country, *self.processing_countries} - {""})),
            storage=tuple(sorted(((item.name, item.kind, item.days) for item in self.storage), key=repr)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One purpose as it is shown to visitors: one control never covers two (GDPR recital 43).

    ``name`` and ``purpose`` are a site's own words; empty means the translated built-in ones.
    """

    key: str
    name: str = ""
    purpose: str = ""
    builtin: bool = False

    @property
    def is_necessary(self) -> bool:
        return self.key == NECESSARY


BUILTIN_CATEGORIES: Final = tuple(
    Category(key=key, builtin=True)
    for key in (NECESSARY, "donations", "analytics", "video", "functional", "social", "marketing")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Who asks: the controller and where a visitor finds them (GDPR Art. 13(1))."""

    name: str
    controller: str
    contact: str = ""
    data_protection_officer: str = ""
    supervisory_authority: str = ""
    imprint: str = ""
    market: str = "eu"
    log_retention: str = "3 years"
    log_retention_days: int = 3 * 365
    privacy_policy: str = "/privacy"
    hosts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    default_language: str = "en"
    register: str = "formal"
    allow_unreviewed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How the site asks. ``lifetime_days`` counts calendar days from the day of the choice and never slides."""

    lifetime_days: int = 184
    undeclared: str = "block"
    trial_until: date | None = None
    pages: str = "personal"
    csp: str = "enforce"
    placement: str = "auto"
    position: str = "top"
    theme: str = "paper"
    prefix: str = "/consent/"
    skip: tuple[str, ...] = ()
    cookie_domain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything a site declares, checked and frozen. ``history`` holds earlier material versions, newest last."""

    site: Site
    ask: Ask = field(default_factory=Ask)
    categories: tuple[Category, ...] = BUILTIN_CATEGORIES
    services: tuple[Service, ...] = ()
    history: tuple[MaterialVersion, ...] = ()
    source: str = ""
    _optional: tuple[Service, ...] = field(init=False, repr=False, compare=False)
    _index: dict[str, tuple[Service, ...]] = field(init=False, repr=False, compare=False)
    _current: MaterialVersion = field(init=False, repr=False, compare=False)
    _surviving: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_optional", tuple(s for s in self.services if not s.is_necessary))
        index = {
            category.key: tuple(s for s in self.services if s.category == category.key) for category in self.categories
        }
        index |= {service.key: (service,) for service in self.services}
        object.__setattr__(self, "_index", index)
        materials = {service.key: service.material(self.site.controller) for service in self.optional}
        current = MaterialVersion.of(
            Locked(key=key, material=material, digest=material.digest()) for key, material in materials.items()
        )
        object.__setattr__(self, "_current", current)
        surviving = {
            version.version: frozenset(
                locked.key
                for locked in version.services
                if locked.key in materials and not materials[locked.key].asks_more_than(locked.material)
            )
            for version in (*self.history, current)
        }
        object.__setattr__(self, "_surviving", surviving)

    @property
    def optional(self) -> tuple[Service, ...]:
        """The services that wait for a choice, in the order of the file."""
        return self._optional

    @property
    def current(self) -> MaterialVersion:
        """The material version of what is asked now."""
        return self._current

    def digest(self) -> str:
        """SHA-256, as 64 hex digits, of everything material: the ordered optional services and their digests."""
        return sha256([[locked.key, locked.digest] for locked in self._current.services])

    def version(self, name: str) -> MaterialVersion | None:
        """The material version called ``name``, the present or a locked one; ``None`` if it was never locked."""
        if name == self._current.version:
            return self._current
        return next((version for version in self.history if version.version == name), None)

    def surviving(self, version: str) -> frozenset[str]:
        """The services whose answers under ``version`` still count; none for a version that is unknown."""
        return self._surviving.get(version, frozenset())

    @property
    def keys(self) -> tuple[str, ...]:
        """Every category and service key: one namespace."""
        return tuple(self._index)

    def services_of(self, key: str) -> tuple[Service, ...]:
        """The service called ``key``, or all of the category; raises :class:`UnknownKeyError`."""
        if key not in self._index:
            raise UnknownKeyError(key, self._index)
        return self._index[key]

    def service(self, key: str) -> Service:
        """The service called ``key``; raises :class:`UnknownKeyError`."""
        for service in self.services:
            if service.key == key:
                return service
        raise UnknownKeyError(key, (service.key for service in self.services))

    def category(self, key: str) -> Category:
        """The category called ``key``; raises :class:`UnknownKeyError`."""
        for category in self.categories:
            if category.key == key:
                return category
        raise UnknownKeyError(key, (category.key for category in self.categories))

    def expand(self, keys: Iterable[str]) -> frozenset[str]:
        """The optional services meant by these service or category keys; unknown keys mean nothing."""
        return frozenset(s.key for key in keys for s in self._index.get(key, ()) if not s.is_necessary)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
