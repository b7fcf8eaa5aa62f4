"""Made news pages, as long as one asks for, with what such pages have: pictures, icons, scripts, third parties."""

# ruff: noqa: E501, SIM905  # pages are made of long lines

from __future__ import annotations

import random

from consent.policy import Ask, Policy, Service, Site

OWN = "https://harbour.example"
DENIED = tuple(f"{name}.example" for name in (
    "ads adserve analytics beacon bidder chartbeat click cloudtags comments connect consentless content-rec cookie-sync "
    "data-lake disqus doubletap embed facebook-pixel fonts frames gtm heatmap hotjar maps metrics native pixel player "
    "podcast push recaptcha recs rum sentry share social stats survey tags tiktok video"
).split())  # fmt: skip
"""The domains of the services that nobody has agreed to; there are 41, as on the pages that were measured first."""

_WORDS = (
    "harbour council ferry budget storm pilot school bridge quay market union fisheries report minister tide crane "
    "the a of on in and to with for by from after before said new says will have been not it its would are is"
).split()
_ICON = (
    '<svg class="icon icon--{name}" width="24" height="24" viewBox="0 0 24 24" fill="none" aria-hidden="true">'
    '<path d="M3 12a9 9 0 1 0 18 0 9 9 0 0 0-18 0zm4.5 0h9M12 7.5v9" stroke="currentColor" stroke-width="1.5"/></svg>'
)
_HEAD = """<!doctype html>
<html lang="en" class="no-js">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Harbour News</title>
<meta property="og:image" content="https://harbour.example/img/front.jpg">
<meta name="description" content="What happens on the quay, and why it matters to those who live there.">
<link rel="canonical" href="https://harbour.example/news/today">
<link rel="preload" href="/static/fonts/serif.woff2" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="/static/css/site.8f2c.css">
<link rel="icon" href="/favicon.ico">
<style>.lead{background:url(/static/img/paper.png)}.a>.b{color:#123}@media (max-width:40em){.lead{padding:0}}</style>
<script>document.documentElement.className = "js"; window.settings = {"page": "front", "edition": 3};</script>
<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle", "url": "https://harbour.example/"}</script>
"""


def page(tags: int, *, blocked: int = 4, seed: int = 1) -> bytes:
    """A page of about ``tags`` start tags, of which ``blocked`` reach for a third party."""
    rng = random.Random(seed)
    parts = [_HEAD, "</head>\n<body class=front>\n<header><nav><ul>"]
    made = 24
    for name in ("news", "sport", "culture", "opinion", "weather"):
        parts.append(f'<li><a class="nav__link" href="/{name}">{name.title()}</a></li>')
        made += 2
    parts.append("</ul></nav></header>\n<main>\n")
    left = blocked
    number = 0
    while made < tags:
        number += 1
        if left and made * blocked > (blocked - left) * tags:
            host = DENIED[(number * 7) % len(DENIED)]
            parts.append(rng.choice([
                f'<script async src="https://{host}/js/tag.js?id=HN-{number}"></script>\n',
                f'<img src="https://px.{host}/p.gif?e=view&amp;n={number}" width="1" height="1" alt="">\n',
                f'<iframe src="https://www.{host}/embed/{number}" width="560" height="315" title="A film"></iframe>\n',
                f'<noscript><img src="https://{host}/ns.gif" alt=""></noscript>\n',
            ]))  # fmt: skip
            left -= 1
            made += 2
        kind = rng.random()
        if kind < 0.55:
            parts.append(_story(rng, number))
            made += 11
        elif kind < 0.9:
            parts.append(f"<p>{_sentence(rng)} <a href=\"{OWN}/news/{number}?ref=front&amp;pos={number}\">"
                         f"{_sentence(rng, 4)}</a> {_sentence(rng)} <em>{_sentence(rng, 3)}</em></p>\n")  # fmt: skip
            made += 3
        elif kind < 0.95:
            parts.append(f"<!-- teaser {number} --><div class=\"box\" style=\"width: {number % 100}%\">"
                         f"{_ICON.format(name='bell')}<button type=button onclick=\"toggle({number})\">More</button></div>\n")  # fmt: skip
            made += 5
        else:
            parts.append(f"<script>(function () {{ var box = document.querySelector('#box-{number}'); if (box && 1 < 2) {{"
                         f" box.innerHTML = '<b>' + (\"{_sentence(rng, 6)}\") + '</b>'; }} // done\n}})();</script>\n")  # fmt: skip
            made += 1
    parts.append("</main>\n<footer><p>© Harbour News Trust</p></footer>\n")
    parts.append('<script src="/static/js/site.91ab.js" defer></script>\n</body>\n</html>\n')
    return "".join(parts).encode()


def _sentence(rng: random.Random, words: int = 14) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize()


def _story(rng: random.Random, number: int) -> str:
    return (
        f'<article class="card card--{number % 5}" data-id="{number}" id="s{number}">\n<a href="/news/{number}" class="card__link">'
        f'<picture><source srcset="/img/{number}-800.webp 800w, /img/{number}-400.webp 400w" type="image/webp">'
        f'<img src="/img/{number}.jpg" alt="{_sentence(rng, 5)}" width="400" height="225" loading="lazy"></picture>'
        f'<h3 class="card__title">{_sentence(rng, 8)}</h3></a>\n<p class="card__text">{_sentence(rng, 22)}</p>\n'
        f'<div class="card__meta"><time datetime="2026-03-{number % 28 + 1:02}">{number % 12} h</time>'
        f"{_ICON.format(name='clock')}<span>{number % 90} comments</span></div>\n</article>\n"
    )


def policy() -> Policy:
    """A policy with a service for each of these domains."""
    services = tuple(
        Service(
            key="by-" + host.partition(".")[0],
            category="analytics",
            name=host,
            purpose="Counts.",
            load=(host, "*." + host),
        )
        for host in DENIED
    )
    site = Site(name="Harbour News", controller="Harbour News Trust", hosts=("harbour.example",))
    return Policy(site=site, ask=Ask(undeclared="allow"), services=services)
