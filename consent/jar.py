"""The cookies of our own: what they are called, what they are bound to, how they are set."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from datetime import date
from typing import Final

from consent import headers
from consent.choice import Choice
from consent.exchange import Request
from consent.headers import Fields
from consent.policy import Policy
from consent.token import Token

SAID_SECONDS: Final = 60
TOKEN_SECONDS: Final = 600
SEEN: Final = "consent-seen"
"""Readable by scripts and bound to nothing: on shared pages it hides a notice that was answered, and no more."""


class Jar:
    """Reads and writes a visitor's choice, and the word that is said once on the page after an answer."""

    def __init__(self, policy: Policy, token: Token) -> None:
        self._policy = policy
        self._token = token

    def read(self, request: Request) -> Choice:
        """The visitor's choice, or :meth:`Choice.none`; never an error."""
        jar = request.get("cookie")
        if "consent=" not in jar:
            return Choice.none()
        for value in headers.cookie_values(jar, self.name("consent", request)):
            choice = self._token.read(value, policy=self._policy, scope=self.scope(request))
            if choice.made:
                return choice
        return Choice.none()

    def write(self, choice: Choice, request: Request, *, today: date) -> Fields:
        """The field that sets this choice. Its life is counted from the day of the choice and never slides."""
        choice = replace(choice, day=choice.day or today)
        value = self._token.write(choice, policy=self._policy, scope=self.scope(request))
        left = self._policy.ask.lifetime_days - (today - (choice.day or today)).days
        return self._set("consent", value, request, seconds=left * 86_400)

    def said(self, request: Request) -> str:
        """The message to show on this page, as the answer before left it; may be anything."""
        jar = request.get("cookie")
        values = headers.cookie_values(jar, self.name("consent-said", request)) if "consent-said" in jar else []
        return values[0] if values else ""

    def say(self, message: str, request: Request) -> Fields:
        """The field that has a message shown on the next page."""
        return self._set("consent-said", message, request, seconds=SAID_SECONDS)

    def unsay(self, request: Request) -> Fields:
        """The field that ends the message."""
        return self._set("consent-said", "", request, seconds=0)

    def see(self, choice: Choice, request: Request, *, version: str, today: date) -> Fields:
        """The field that keeps shared pages from showing an answered notice again; ends it without a ``version``."""
        day = choice.day or today
        left = self._policy.ask.lifetime_days - (today - day).days if version else 0
        field = f"{SEEN}={version}; Max-Age={left * 86_400}; Path=/; SameSite=Lax"
        return [("Set-Cookie", field + "; Secure" if request.scheme == "https" else field)]

    def introduce(self, request: Request) -> tuple[str, Fields]:
        """A random token for a form, and the field that keeps its twin for ten minutes (double-submit cookie).

        For browsers that don't say where a post comes from; no page carries one before such a post.
        """
        token = secrets.token_hex(16)
        return token, self._set("consent-token", token, request, seconds=TOKEN_SECONDS, same_site="Strict")

    def vouches(self, request: Request, token: str) -> bool:
        """Whether the form that came with ``token`` was made for this visitor by us."""
        jar = request.get("cookie")
        if len(token) != 32 or "consent-token" not in jar:
            return False
        kept = headers.cookie_values(jar, self.name("consent-token", request))
        return any(hmac.compare_digest(value.encode(), token.encode()) for value in kept)

    def scope(self, request: Request) -> str:
        """What the choice is bound to: the cookie domain, or this host alone."""
        return self._policy.ask.cookie_domain or request.hostname

    def name(self, base: str, request: Request) -> str:
        """The cookie's name here: prefixed on https, so that no other host or plain http can have set it."""
        if request.scheme != "https":
            return base
        return f"__Secure-{base}" if self._policy.ask.cookie_domain else f"__Host-{base}"

    def _set(self, base: str, value: str, request: Request, *, seconds: int, same_site: str = "Lax") -> Fields:
        field = f"{self.name(base, request)}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite={same_site}"
        if self._policy.ask.cookie_domain:
            field += f"; Domain={self._policy.ask.cookie_domain}"
        return [("Set-Cookie", field + "; Secure" if request.scheme == "https" else field)]
