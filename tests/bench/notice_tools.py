"""The notices that are compared: for each its npm package, what a page must contain, and where its first layer is.

Each is loaded as its makers' guide says, from its own files, with the same words, purposes and services, and with a
button to refuse beside the one to accept. What they look like, and what moves, is their default.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

TITLE = "Cookies on Harbour News"
ASKED = (
    "This site uses cookies and other technologies. Some are essential; others are for secure donations, evaluating "
    "how the site is used, and the site's own videos on YouTube. If you agree, data goes to 5 third parties, who "
    "process it. You can change or withdraw your choice at any time under Cookie settings."
)
PURPOSES = {
    "necessary": ("Necessary", "Cookie settings", "Remembers what you chose."),
    "donations": ("Donations", "Donorbox", "Takes donations."),
    "analytics": ("Analytics", "Matomo", "Records which pages are read, and gives each browser an identifier."),
    "video": ("Embedded video", "YouTube", "Shows videos hosted on YouTube."),
}
BUTTONS = {
    "accept": "Accept all",
    "reject": "Accept only necessary",
    "choose": "Choose by purpose",
    "save": "Save selection",
}


@dataclass(frozen=True)
class Notice:
    """A tool on the page: its npm package, what a page must contain, and where its first layer is."""

    name: str
    package: str = ""
    region: str = ""
    refuse: str = ""
    accept: str = ""
    head: str = ""
    end: str = ""
    files: dict[str, str] = field(default_factory=dict)


def _config(**more: Any) -> str:
    return json.dumps(more, ensure_ascii=False)


def _vanilla() -> Notice:
    sections = [{"title": t, "description": d, "linkedCategory": key} for key, (t, _, d) in PURPOSES.items()]
    buttons = {"acceptAllBtn": BUTTONS["accept"], "acceptNecessaryBtn": BUTTONS["reject"]}
    config = _config(
        guiOptions={"consentModal": {"equalWeightButtons": True}, "preferencesModal": {"equalWeightButtons": True}},
        categories={
            key: {"enabled": key == "necessary", "readOnly": key == "necessary", "services": {s.lower(): {"label": s}}}
            for key, (_, s, _) in PURPOSES.items()
        },
        language={"default": "en", "translations": {"en": {
            "consentModal": {"title": TITLE, "description": ASKED, "showPreferencesBtn": BUTTONS["choose"],
                             "footer": '<a href="/privacy">Privacy policy</a>', **buttons},
            "preferencesModal": {"title": BUTTONS["choose"], "savePreferencesBtn": BUTTONS["save"],
                                 "closeIconLabel": "Close", "sections": sections, **buttons},
        }}},
    )  # fmt: skip
    return Notice(
        "vanilla-cookieconsent", "vanilla-cookieconsent@3.1.0", "#cc-main .cm", "#cc-main .cm [data-role=necessary]",
        "#cc-main .cm [data-role=all]", '<link rel="stylesheet" href="dist/cookieconsent.css">\n',
        '<script type="module" src="cookieconsent-config.js"></script>\n',
        {"cookieconsent-config.js": f"import './dist/cookieconsent.umd.js';\nCookieConsent.run({config});"},
    )  # fmt: skip


def _orejime() -> Notice:
    purposes = [
        {"id": key, "title": title, "description": text, "cookies": [], "isMandatory": key == "necessary"}
        for key, (title, _, text) in PURPOSES.items()
    ]
    config = _config(
        privacyPolicyUrl="/privacy",
        purposes=purposes,
        translations={"banner": {"title": TITLE, "description": ASKED + " {purposes}", "accept": BUTTONS["accept"],
                                 "decline": BUTTONS["reject"], "configure": BUTTONS["choose"]}},
    )  # fmt: skip
    return Notice(
        "orejime", "orejime@3.2.1", ".orejime-Banner", ".orejime-Banner-declineButton", ".orejime-Banner-saveButton",
        '<link href="dist/orejime-standard.css" rel="stylesheet">\n',
        f'<script>window.orejimeConfig = {config}</script>\n<script src="dist/orejime-standard-en.js"></script>\n',
    )  # fmt: skip


def _klaro() -> Notice:
    services = [
        {"name": name.lower(), "title": name, "purposes": [key], "required": key == "necessary", "cookies": []}
        for key, (_, name, _) in PURPOSES.items()
    ]
    texts: dict[str, Any] = {name.lower(): {"description": text} for _, name, text in PURPOSES.values()}
    config = _config(
        version=1, elementID="klaro", groupByPurpose=True, default=False, acceptAll=True, hideDeclineAll=False,
        showNoticeTitle=True, services=services,
        translations={"en": {
            "privacyPolicyUrl": "/privacy", "ok": BUTTONS["accept"], "decline": BUTTONS["reject"],
            "consentNotice": {"title": TITLE, "description": ASKED, "learnMore": BUTTONS["choose"]},
            "purposes": {key: title for key, (title, _, _) in PURPOSES.items()}, **texts,
        }},
    )  # fmt: skip
    return Notice(
        "klaro", "klaro@0.7.22", ".klaro .cookie-notice", ".klaro .cookie-notice .cn-decline",
        ".klaro .cookie-notice .cm-btn-success",
        '<script defer src="config.js"></script>\n<script defer src="dist/klaro.js"></script>\n', "",
        {"config.js": f"var klaroConfig = {config};"},
    )  # fmt: skip


def _tarteaucitron() -> Notice:
    config = _config(
        privacyUrl="/privacy", bodyPosition="top", hashtag="#tarteaucitron", cookieName="tarteaucitron",
        orientation="bottom", groupServices=False, showDetailsOnClick=True, serviceDefaultState="wait",
        showAlertSmall=False, showTitleBanner=True, cookieslist=False, showIcon=True, iconPosition="BottomRight",
        adblocker=False, DenyAllCta=True, AcceptAllCta=True, highPrivacy=True, removeCredit=False,
        moreInfoLink=True, useExternalCss=False, useExternalJs=False, mandatory=True, mandatoryCta=True,
    )  # fmt: skip
    words = _config(
        middleBarHead=TITLE, alertBigPrivacy=ASKED, acceptAll=BUTTONS["accept"], denyAll=BUTTONS["reject"],
        personalize=BUTTONS["choose"],
    )  # fmt: skip
    own = "".join(
        f"tarteaucitron.services.{key} = {{key: '{key}', type: '{kind}', name: '{key.title()}', needConsent: true, "
        "cookies: [], js() {}, fallback() {}};\n"
        for key, kind in (("donorbox", "other"), ("matomo", "analytic"))
    )
    services = f'{own}(tarteaucitron.job = tarteaucitron.job || []).push("donorbox", "matomo", "youtube");'
    return Notice(
        "tarteaucitron", "tarteaucitronjs@1.34.0", "#tarteaucitronAlertBig", "#tarteaucitronAllDenied2",
        "#tarteaucitronPersonalize2",
        f'<script src="tarteaucitron.min.js"></script>\n<script>tarteaucitronCustomText = {words};\n'
        f"tarteaucitron.init({config});\n{services}</script>\n",
    )  # fmt: skip


BARE = Notice("page alone")
OURS = Notice("consentry", "", "[data-consent-banner]", "[data-consent-action=reject]", "[data-consent-action=accept]")
OTHERS = (_vanilla(), _orejime(), _klaro(), _tarteaucitron())
