"""Which language the notice speaks, and its texts: translations, dates, lists, countries and durations.

The only user of Babel. English is the source language, so its texts are the message ids themselves; the others are
gettext catalogues in ``consent/locales``, and in ``locales/`` beside a site's ``consent.toml``.
"""

from consent.locale.negotiation import negotiate, offered
from consent.locale.shelf import AVAILABLE, SOURCE, site_folder, site_tags
from consent.locale.status import Language, languages
from consent.locale.tags import nearest
from consent.locale.texts import Texts, digest, fill, texts

__all__ = [
    "AVAILABLE",
    "SOURCE",
    "Language",
    "Texts",
    "digest",
    "fill",
    "languages",
    "nearest",
    "negotiate",
    "offered",
    "site_folder",
    "site_tags",
    "texts",
]
