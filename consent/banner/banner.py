"""The notice and everything around it, rendered from the policy. The only user of Jinja2."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from consent import locale as languages
from consent.banner import address, facts, scripting, static
from consent.banner.artefact import artefact
from consent.banner.phrases import N_, Phrases
from consent.banner.view import Embed, View, Written
from consent.decision import Artefact
from consent.market import profile
from consent.policy import Policy

_TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_ATTRIBUTE: Final = re.compile(r"(?!on|src|srcdoc|style)[a-z][a-z-]*")
_MOST_ARTEFACTS: Final = 256
LABELS: Final = MappingProxyType(
    {
        "accept": N_("Accept all"),
        "reject": N_("Accept only necessary"),
        "save": N_("Save selection"),
        "withdraw": N_("Withdraw all"),
        "settings": N_("Cookie settings"),
        "once": N_("Load once"),
        "always": N_("Always show {service}"),
        "hide": N_("Hide this message"),
        "close": N_("Continue without accepting"),
        "erase": N_("Erase my record"),
        "choices": N_("Your privacy choices"),
    }
)
TITLES: Final = MappingProxyType(
    {
        "cross-site": N_("Please confirm your choice"),
        "not-recorded": N_("Nothing was allowed"),
        "outdated": N_("Please choose again"),
        "unknown-action": N_("Not understood"),
        "unknown-embed": N_("Nothing to show"),
        "not-granted": N_("Not loaded"),
        "unreadable": N_("This page cannot be shown"),
        "too-many": N_("Too many answers"),
        "no-receipt": N_("There is no receipt"),
        "not-erased": N_("Withdrawn, but not yet erased"),
    }
)


class Banner:
    """Renders everything a visitor reads. Made once for a policy; thread-safe.

    What goes into other people's pages is bytes, and ASCII; whole pages of our own are text. ``templates`` is a
    folder whose files replace those of the same name in ``consent/templates``, which are there as ``consentry/…`` all
    the same; it is trusted, and read once. A site's translations of its own words are looked for in ``locales/``
    beside its ``consent.toml``.
    """

    def __init__(self, policy: Policy, *, templates: Path | None = None) -> None:
        self._policy = policy
        folders = [*([templates] if templates else []), _TEMPLATES]
        self._jinja = Environment(
            loader=ChoiceLoader([FileSystemLoader(folders), PrefixLoader({"consentry": FileSystemLoader(_TEMPLATES)})]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,  # what is shown stays what was archived, whatever happens to the files meanwhile
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._site_locales = languages.site_folder(policy)
        self.version = _version(folders)
        self._artefact = lru_cache(maxsize=_MOST_ARTEFACTS)(self._make_artefact)
        self._phrases = lru_cache(maxsize=_MOST_ARTEFACTS)(self._make_phrases)

    def head(self, view: View) -> bytes:
        """The stylesheet and scripts; the classic script only where a blocked vendor's globals need stand-ins."""
        return self._bytes("head.html", view)

    def notice(self, view: View) -> bytes:
        """The labelled region that asks, with the skip link past it first."""
        return self._bytes("notice.html", view, digest=self.artefact(view).digest)

    def confirmation(self, view: View) -> bytes:
        """What is said after an answer, with a button that hides it; nothing for an empty ``view.message``."""
        return (
            self._bytes("confirmation.html", view, forget=scripting.forget(self._policy, view)) if view.message else b""
        )

    def settings_link(self, view: View) -> bytes:
        """The link that belongs on every page, to where a choice is changed (GDPR Art. 7(3))."""
        return self._bytes("settings.html", view)

    def placeholder(self, view: View, embed: Embed) -> bytes:
        """The card that stands where something visible was blocked, and the named frame it can be loaded into."""
        return self._bytes("placeholder.html", view, **self._card(view, embed))

    def embed(self, view: View, key: str, ident_or_url: str, **attributes: str) -> bytes:
        """An embed written in a template: the live frame where the visitor allows it, else the placeholder.

        ``title``, ``width``, ``height``, ``allow`` and ``poster`` (an image of the site's own) are known; any other
        attribute goes onto the live frame, ``_`` standing for ``-``. Raises ``UnknownKeyError`` for a service that
        isn't declared, and ``ValueError`` for an address that can't be framed or an attribute that mustn't be set.
        """
        service = self._policy.service(key)
        known = {name: str(attributes.pop(name, "")) for name in ("title", "width", "height", "allow", "poster")}
        written = Written(service=service, url=address.framed(service, ident_or_url), **known)
        if not view.permissions.allows(key):
            return self.placeholder(view, written)
        extra = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        for name in extra:
            if not _ATTRIBUTE.fullmatch(name):
                raise ValueError(f"consent.embed can't set the attribute {name!r}")
        return self._bytes("embed.html", view, embed=written, extra=extra)

    def preferences(self, view: View) -> str:
        """The page on which every service can be looked up, allowed and refused, with ``view.message`` on top."""
        asking = view.asking_all(self._policy)
        if view.next == view.prefix:
            # An answer given here comes back here, in the same language.
            asking = replace(asking, next=f"{view.prefix}?lang={view.locale}")
        return self._text(
            "preferences.html",
            asking,
            digest=self.artefact(asking).digest,
            said=Markup(self.confirmation(asking).decode("ascii")),  # noqa: S704 - rendered with escaping
            until=view.choice.day + timedelta(days=self._policy.ask.lifetime_days) if view.choice.day else None,
        )

    def plain(self, view: View, title_id: str) -> str:
        """A page of our own for one message, by an id of :data:`TITLES`; raises ``KeyError`` for any other.

        ``cross-site``, ``not-recorded`` and ``outdated`` ask again on the same page.
        """
        again = title_id in ("cross-site", "not-recorded", "outdated") and bool(self._policy.optional)
        asking = view.asking_all(self._policy)
        notice = Markup(self.notice(asking).decode("ascii")) if again else ""  # noqa: S704 - rendered with escaping
        return self._text("plain.html", view, title=TITLES[title_id], id=title_id, notice=notice)

    def wrapper(self, *, service: str, url: str, title: str, locale: str, prefix: str) -> str:
        """The same-origin page that holds one embed and nothing else, for a frame.

        The caller has checked that ``url`` is declared for the service; raises ``ValueError`` if it isn't http(s).
        """
        if not address.is_web(url):
            raise ValueError(f"{url!r} can't be framed")
        view = replace(View.neutral(self._policy, locale=locale), prefix=prefix)
        return self._text("wrapper.html", view, service=self._policy.service(service), url=url, title=title)

    def declaration(self, view: View) -> bytes:
        """The table of everything stored and read, for the site's privacy page; our own cookie is in it."""
        return self._bytes("declaration.html", view)

    def artefact(self, view: View) -> Artefact:
        """Exactly what such a view shows, without what belongs to a visitor or page; with ``asking`` empty, everything.

        Its digest is in the forms of ``notice(view)`` and ``placeholder(view, …)``; those of the preferences page,
        which asks about everything, carry that of ``artefact(view.asking_all(policy))``.
        """
        return self._artefact(view.locale, view.asking, view.gpc)

    def texts(self, locale: str) -> languages.Texts:
        """What is said in this language on this site: its own words, register and all."""
        return self._phrases(locale).texts

    def static(self, name: str) -> tuple[bytes, str] | None:
        """A file of ours and its content type, or ``None`` for any other name."""
        return (static.content(name), static.TYPES[name]) if name in static.TYPES else None

    def _make_artefact(self, locale: str, asking: tuple[str, ...], gpc: bool) -> Artefact:
        view = View.neutral(self._policy, locale=locale, asking=asking, gpc=gpc)
        html = {
            "notice": self._text("notice.html", view, digest=""),
            "preferences": self._text("preferences.html", view, digest="", said="", until=None),
        }
        for service in self._policy.optional:
            if service.embed:
                embed = Written(service=service, url=service.embed)
                html[f"placeholder:{service.key}"] = self._text(
                    "placeholder.html", view, **self._card(view, embed, digest="")
                )
        phrases = self._phrases(locale)
        return artefact(
            self._policy,
            view,
            html=html,
            labels={action: phrases.texts.gettext(label) for action, label in LABELS.items()},
            texts_version=phrases.texts.version,
            banner_version=self.version,
        )

    def _make_phrases(self, locale: str) -> Phrases:
        spoken = languages.texts(locale, site_locales=self._site_locales, register=self._policy.site.register)
        return Phrases(self._policy, spoken)

    def _card(self, view: View, embed: Embed, *, digest: str | None = None) -> dict[str, Any]:
        """What the placeholder's template needs; the frame's name is the page's next."""
        return {
            "embed": embed,
            "digest": self.artefact(view).digest if digest is None else digest,
            "frame": f"cst-frame-{next(view.frames)}",
            "host": address.host(embed.url),
            "original": address.original(embed.url),
            "poster": embed.poster,
            "wrapper": address.wrapper(view.prefix, embed.service, embed.url) if embed.service else "",
            "fills": "absolute" in embed.style,
            "wide": not embed.width or "%" in embed.width,
        }

    def _bytes(self, template: str, view: View, **context: object) -> bytes:
        return self._text(template, view, **context).encode("ascii", "xmlcharrefreplace")

    def _text(self, template: str, view: View, **context: object) -> str:
        phrases = self._phrases(view.locale)
        return self._jinja.get_template(template).render(
            policy=self._policy,
            market=profile(self._policy.site.market),
            site=self._policy.site,
            root=f"{view.prefix.removesuffix(self._policy.ask.prefix)}/",
            view=view,
            phrases=phrases,
            texts=phrases.texts,
            t=phrases.t,
            tn=phrases.tn,
            labels=LABELS,
            facts=facts.facts,
            stored=facts.stored,
            state=facts.state,
            static=static.address,
            sheets=static.sheets,
            script=scripting.state(self._policy, view),
            **context,
        )


def _version(folders: list[Path]) -> str:
    """SHA-256 of every template in effect and every static file: what can change how the same texts look."""
    files: Mapping[str, bytes] = {
        path.name: path.read_bytes() for folder in reversed(folders) for path in sorted(folder.glob("*.html"))
    }
    content = [*sorted(files.items()), *((name, static.content(name)) for name in sorted(static.TYPES))]
    total = hashlib.sha256()
    for name, data in content:
        total.update(f"{name}\0{len(data)}\0".encode() + data)
    return total.hexdigest()
