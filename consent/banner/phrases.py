"""The sentences of the notice, built from what the site declares.

Every message id stands here or in a template, in English, and is plain text with ``{named}`` places; ``N_`` marks
those that are looked up elsewhere than where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from markupsafe import Markup, escape

from consent.locale import Texts, fill
from consent.policy import Category, Policy, Service

_MOST_NAMES: Final = 3


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a mark that does nothing
    """The message itself: it is translated where it is used."""
    return message


NAMES: Final = MappingProxyType(
    {
        "necessary": N_("Necessary"),
        "donations": N_("Donations"),
        "analytics": N_("Analytics"),
        "video": N_("Embedded video"),
        "functional": N_("Additional functions"),
        "social": N_("Social media"),
        "marketing": N_("Marketing"),
    }
)
PHRASES: Final = MappingProxyType(
    {
        "donations": N_("secure donations"),
        "analytics": N_("evaluating how the site is used"),
        "video": N_("the site's own videos on {services}"),
        "functional": N_("functions from {services}"),
        "social": N_("posts and sharing on {services}"),
        "marketing": N_("advertising with {services}"),
    }
)
PURPOSES: Final = MappingProxyType(
    {
        "necessary": N_("What the site needs in order to work, and to remember your choice."),
        "donations": N_("Secure donations: the form of the payment provider, and its protection against fraud."),
        "analytics": N_("Evaluating how the site is used: which pages are read, and how often."),
        "video": N_("Showing the site's own videos, which are kept with other providers."),
        "functional": N_("Functions that other providers deliver, such as maps or fonts."),
        "social": N_("Showing posts from social networks, and sharing on them."),
        "marketing": N_("Showing advertising and measuring its effect."),
    }
)
MESSAGES: Final = MappingProxyType(
    {
        "accepted": N_("You have accepted all."),
        "refused": N_("You have accepted only what is necessary."),
        "saved": N_("Your selection is saved."),
        "withdrawn": N_("Your consent is withdrawn. Nothing optional is loaded any more."),
        "embedded": N_("Your choice is saved: this content will be shown from now on."),
        "not-recorded": N_(
            "Your consent could not be recorded just now, so nothing was allowed. "
            "The site works without it; please try again later."
        ),
        "outdated": N_(
            "What this site asks has changed since this page was opened, so nothing was allowed. Please choose again."
        ),
        "cross-site": N_(
            "Your browser did not say which page your answer came from, so nothing was allowed. "
            "If you meant to answer, please do so here."
        ),
        "erased": N_("The record of your choice is erased and your consent is withdrawn."),
        "not-erased": N_(
            "Your consent is withdrawn. The record of it could not be erased just now. "
            "Please write to {contact} and name your receipt number."
        ),
        "signal": N_("Your browser sends Global Privacy Control. What it objects to is off again."),
        "too-many": N_(
            "Too many answers came from your network within a minute, so nothing was allowed. Please try again later."
        ),
        "no-receipt": N_("You have not allowed anything from this browser, so there is no record to download."),
        "unknown-action": N_("This answer could not be understood, so nothing was changed."),
        "unknown-embed": N_("This site has not declared what was asked for, so it is not loaded."),
        "not-granted": N_("You have not allowed this content, so it is not loaded."),
        "unreadable": N_("This page came in a form that could not be checked, so it is not shown."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One checkbox of the notice: a whole category, or a single service where only part of it is asked."""

    value: str
    category: str
    service: str
    label: Markup
    detail: str


class Phrases:
    """What is said about one policy in one language."""

    def __init__(self, policy: Policy, texts: Texts) -> None:
        self._policy = policy
        self.texts = texts

    def t(self, message: str, **values: object) -> Markup:
        """The translated message as HTML: it and its values are escaped, save values that are markup already."""
        return _filled(self.texts.gettext(message), values)

    def tn(self, singular: str, plural: str, n: int, **values: object) -> Markup:
        """As :meth:`t`, in the form that ``n`` things need."""
        return _filled(self.texts.ngettext(singular, plural, n, n="{n}"), {"n": n, **values})

    def own(self, text: str, *, catalogue: str = "") -> Markup:
        """A declared text as HTML: translated if it can be, else marked with the language it is in (WCAG 3.1.2)."""
        spoken = "en" if catalogue else self._policy.site.default_language
        if not text or self.texts.knows(text) or spoken == self.texts.tag:
            return escape(self.texts.gettext(text))
        return Markup('<span lang="{}">{}</span>').format(spoken, text)

    def name(self, category: Category) -> Markup:
        """A category's name: the site's, else the built-in one, else its key."""
        if category.name or category.key not in NAMES:
            return self.own(category.name or category.key)
        return self.t(NAMES[category.key])

    def purpose(self, category: Category) -> Markup:
        """What a category is for, in a sentence."""
        if category.purpose or category.key not in PURPOSES:
            return self.own(category.purpose)
        return self.t(PURPOSES[category.key])

    def message(self, id: str) -> Markup:
        """What is said after an answer; an unknown id says nothing."""
        site = self._policy.site
        return self.t(MESSAGES[id], contact=site.contact or site.controller) if id in MESSAGES else Markup("")

    def asked(self, asking: Iterable[str]) -> list[tuple[Category, tuple[Service, ...]]]:
        """The optional categories in the policy's order, each with those of its services that are asked about."""
        wanted = frozenset(asking)
        grouped = (
            (category, tuple(s for s in self._policy.optional if s.category == category.key and s.key in wanted))
            for category in self._policy.categories
        )
        return [(category, services) for category, services in grouped if services]

    def purposes(self, asking: Iterable[str]) -> str:
        """What the optional services are for, as one enumeration."""
        return self.texts.list(self._phrase(category, services) for category, services in self.asked(asking))

    def controls(self, asking: Iterable[str]) -> list[Control]:
        """The checkboxes for what is asked: one a category, or one a service where the rest is answered already."""
        controls: list[Control] = []
        for category, services in self.asked(asking):
            whole = sum(s.category == category.key for s in self._policy.optional) == len(services)
            parts = [services] if whole else [(service,) for service in services]
            controls += [
                Control(
                    value=category.key if whole else part[0].key,
                    category=category.key,
                    service="" if whole else part[0].key,
                    label=self.name(category),
                    detail=self.names(part),
                )
                for part in parts
            ]
        return controls

    def names(self, services: Iterable[Service]) -> str:
        """The services by name, each once, without what stands in brackets; after three, "others"."""
        names = list(dict.fromkeys(self.service(service).partition(" (")[0] for service in services))
        if len(names) > _MOST_NAMES + 1:
            names = [*names[:_MOST_NAMES], self.texts.gettext("others")]
        return self.texts.list(names)

    def third_parties(self, asking: Iterable[str]) -> int:
        """How many parties other than the site itself receive data if everything asked about is allowed."""
        wanted = frozenset(asking)
        named = {
            re.sub(r"\W+", " ", name).strip().casefold(): name
            for service in self._policy.optional
            if service.key in wanted
            for name in (service.provider, *service.recipients)
        }
        return len([name for name in named.values() if name and not self._is_controller(name)])

    def service(self, service: Service) -> str:
        """A service by its name, which is seldom translated."""
        return self.texts.gettext(service.name)

    def country(self, service: Service) -> str:
        """The country a service's provider sits in, by name."""
        return self.texts.country(service.country)

    def _is_controller(self, name: str) -> bool:
        wanted = re.compile(re.escape(name.strip()) + r"(?!\w)", re.IGNORECASE)
        return any(wanted.match(own) for own in (self._policy.site.name, self._policy.site.controller))

    def _phrase(self, category: Category, services: tuple[Service, ...]) -> str:
        if category.purpose or category.key not in PHRASES:
            own = category.purpose or category.name or category.key
            return self.texts.gettext(own).strip().rstrip(".")
        return self.texts.gettext(PHRASES[category.key], services=self.names(services))


def _filled(message: str, values: Mapping[str, object]) -> Markup:
    """The message as HTML: its own characters escaped first, then each value escaped and put in its place."""
    safe = {name: escape(value) for name, value in values.items()}
    return Markup(fill(str(escape(message)), safe))  # noqa: S704 - both parts are escaped above
