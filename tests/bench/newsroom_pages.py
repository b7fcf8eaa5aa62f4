"""News pages with what such pages have, pictures, icons, scripts, third parties: made as long as one asks for, and the demo's."""

# ruff: noqa: E501, SIM905  # pages are made of long lines

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

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


def dense_page(tags: int, *, blocked: int = 4, seed: int = 1) -> bytes:
    """A page of about ``tags`` start tags and little else, of which ``blocked`` reach for a third party."""
    rng = random.Random(seed)
    parts = [_HEAD, "</head>\n<body class=front>\n<header><nav><ul>"]
    made = 24
    for name in ("news", "sport", "culture", "opinion", "weather"):
        parts.append(f'<li><a class="nav__link" href="/{name}">{name.title()}</a></li>')
        made += 2
    parts.append("</ul></nav></header>\n<main>\n")
    _fill(parts, rng, made, tags, blocked, _DENSE)
    parts.append("</main>\n<footer><p>© Harbour News Trust</p></footer>\n")
    parts.append('<script src="/static/js/site.91ab.js" defer></script>\n</body>\n</html>\n')
    return "".join(parts).encode()


def _sentence(rng: random.Random, words: int = 14) -> str:
    return " ".join(rng.choices(_WORDS, k=words)).capitalize()


Part = Callable[[random.Random, int], str]


def _fill(
    parts: list[str], rng: random.Random, made: int, tags: int, blocked: int, kinds: tuple[tuple[float, int, Part], ...]
) -> int:
    """Add parts until there are ``tags`` start tags, ``blocked`` third parties among them; returns how many parts.

    ``kinds`` has what there is up to which share of chance, with how many start tags.
    """
    number, left = 0, blocked
    while made < tags:
        number += 1
        if left and made * blocked > (blocked - left) * tags:
            parts.append(_third_party(rng, number))
            left -= 1
            made += 2
        chance = rng.random()
        _, count, part = next(kind for kind in kinds if chance < kind[0])
        parts.append(part(rng, number))
        made += count
    return number


def _third_party(rng: random.Random, number: int) -> str:
    host = DENIED[(number * 7) % len(DENIED)]
    return rng.choice([
        f'<script async src="https://{host}/js/tag.js?id=HN-{number}"></script>\n',
        f'<img src="https://px.{host}/p.gif?e=view&amp;n={number}" width="1" height="1" alt="">\n',
        f'<iframe src="https://www.{host}/embed/{number}" width="560" height="315" title="A film"></iframe>\n',
        f'<noscript><img src="https://{host}/ns.gif" alt=""></noscript>\n',
    ])  # fmt: skip


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


_PAGE_HEAD = """<!doctype html>
<html lang="en" class="no-js edition--uk theme--day">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, maximum-scale=5">
<title>Harbour News: what happens on the quay, and why it matters to those who live there</title>
<meta name="description" content="What happens on the quay &amp; why it matters to those who live there.">
<meta property="og:type" content="article"><meta property="og:site_name" content="Harbour News">
<meta property="og:url" content="https://harbour.example/news/today">
<meta property="og:image" content="https://harbour.example/img/front-1200x630.jpg?crop=faces&amp;q=80">
<meta name="twitter:card" content="summary_large_image"><meta name="twitter:site" content="@harbournews">
<link rel="canonical" href="https://harbour.example/news/today">
<link rel="alternate" type="application/rss+xml" title="News" href="https://harbour.example/feed.xml">
<link rel="preload" href="/static/fonts/serif.woff2" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="/static/css/site.8f2c.css"><link rel="icon" href="/favicon.ico">
<link rel="apple-touch-icon" sizes="180x180" href="/static/icons/touch-180.png">
<style>.lead{background:url(/static/img/paper.png)}.a>.b{color:#123}@media (max-width:40em){.lead{padding:0}}</style>
<script>document.documentElement.className = document.documentElement.className.replace("no-js", "js");</script>
<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle", "url": "https://harbour.example/",
"image": ["https://harbour.example/img/front.jpg"], "publisher": {"@type": "Organization", "name": "Harbour News"}}</script>
"""


def usual_page(tags: int, *, blocked: int = 4, seed: int = 1) -> bytes:
    """A page of about ``tags`` start tags as sites serve them.

    It has the measures of 145 saved pages of newspapers and journals (medians): 650 tags in 82 KB, of them 47 with an
    address to load and 66 links with a host; 41 KB in tags, 14 KB of text; ten scripts in the page, one of which holds
    what the page's own scripts work on, with its slashes escaped.
    """
    rng = random.Random(seed)
    parts = [_PAGE_HEAD, "</head>\n<body class=\"front front--wide has-breaking\" data-page-id=\"today\">\n<header class=\"masthead\"><nav><ul>"]
    made = 36
    for name in ("news", "sport", "culture", "opinion", "weather", "harbour", "schools", "letters"):
        parts.append(f'<li class="nav__item nav__item--{name}"><a class="nav__link js-track" data-track="nav:{name}" href="{OWN}/{name}">{name.title()}</a></li>\n')
        made += 2
    parts.append("</ul></nav></header>\n<main id=\"content\" class=\"grid grid--front\">\n")
    number = _fill(parts, rng, made, tags, blocked, _USUAL)
    stories = ",".join(
        f'{{"id":{at},"url":"https:\\/\\/harbour.example\\/news\\/{at}","title":"{_sentence(rng, 8)}","image":"\\/img\\/{at}-800.webp","tags":["quay","ferry"]}}'
        for at in range(number // 2)
    )
    parts.append(f"</main>\n<footer><p>© Harbour News Trust</p></footer>\n<script>window.__STATE__ = {{\"stories\":[{stories}]}};</script>\n")
    parts.append('<script src="/static/js/site.91ab.js" defer></script>\n</body>\n</html>\n')
    return "".join(parts).encode()


def _teaser(rng: random.Random, number: int) -> str:
    return (
        f'\n      <article class="teaser teaser--{number % 5} grid__item grid__item--span-4 js-impression" data-id="{number}"'
        f' data-section="harbour" data-position="{number}" id="teaser-{number}">\n        <a href="{OWN}/news/{number}/'
        f'{"-".join(_sentence(rng, 6).lower().split())}" class="teaser__link js-track" data-track="teaser:{number}" aria-label="{_sentence(rng, 7)}">\n'
        f'          <picture class="teaser__picture"><source media="(min-width: 60em)" type="image/webp" srcset="/img/{number}-800.webp?w=800&amp;q=75 800w,'
        f' /img/{number}-1200.webp?w=1200&amp;q=75 1200w" sizes="(min-width: 60em) 30vw, 100vw"><img class="teaser__image lazyload"'
        f' src="/img/{number}.jpg?w=400&amp;q=75" alt="{_sentence(rng, 9)}" width="400" height="225" loading="lazy" decoding="async"></picture>\n'
        f'          <h3 class="teaser__title heading heading--small">{_sentence(rng, 9)}</h3>\n        </a>\n'
        f'        <div class="teaser__meta meta u-quiet"><time class="meta__time" datetime="2026-03-{number % 28 + 1:02}T08:30:00+00:00">{number % 12} h</time>\n'
        f'          <span class="meta__comments" data-count="{number % 90}">{number % 90}</span></div>\n      </article>\n'
    )


def _inline(rng: random.Random, number: int) -> str:
    return (
        f'    <script>\n      (function (slots) {{\n        var box = document.querySelector("#box-{number}"); // the slot below\n'
        f'        if (!box || slots.length < 2) {{ return; }}\n        box.innerHTML = "<div class=\\"box__inner\\">" + box.dataset.text + "</div>";\n'
        f'        slots.push({{ id: "{number:06x}", label: "{_sentence(rng, 6)}", sizes: [[300, 250], [728, 90]], once: true }});\n'
        f'        box.addEventListener("click", function () {{ window.location = "/news/{number}"; }});\n      }})(window.slots || []);\n    </script>\n'
    )


def _paragraph(rng: random.Random, number: int) -> str:
    return (
        f"<p>{_sentence(rng)} <a href=\"{OWN}/news/{number}?ref=front&amp;pos={number}\">"
        f"{_sentence(rng, 4)}</a> {_sentence(rng)} <em>{_sentence(rng, 3)}</em></p>\n"
    )


def _box(_: random.Random, number: int) -> str:
    return (
        f"<!-- teaser {number} --><div class=\"box\" style=\"width: {number % 100}%\">"
        f"{_ICON.format(name='bell')}<button type=button onclick=\"toggle({number})\">More</button></div>\n"
    )


def _script(rng: random.Random, number: int) -> str:
    return (
        f"<script>(function () {{ var box = document.querySelector('#box-{number}'); if (box && 1 < 2) {{"
        f" box.innerHTML = '<b>' + (\"{_sentence(rng, 6)}\") + '</b>'; }} // done\n}})();</script>\n"
    )


def _long_paragraph(rng: random.Random, number: int) -> str:
    return (
        f'\n        <p class="article__paragraph" data-block="{number:06x}">{_sentence(rng, 22)} <a href="{OWN}/news/{number}?ref=front&amp;pos={number}" '
        f'class="link link--inline js-track" data-track="body:{number}">{_sentence(rng, 4)}</a> {_sentence(rng, 24)} <em>{_sentence(rng, 3)}</em></p>\n'
    )


def _wide_box(_: random.Random, number: int) -> str:
    return (
        f"    <!-- teaser {number}: start -->\n    <div class=\"box box--wide u-margin-top\" style=\"width: {number % 100}%\" data-slot=\"{number}\">"
        f"{_ICON.format(name='bell')}<button type=button class=\"button button--quiet\" onclick=\"toggle({number})\">More</button></div>\n    <!-- teaser {number}: end -->\n"
    )


_DENSE = ((0.55, 11, _story), (0.9, 3, _paragraph), (0.95, 5, _box), (1.0, 1, _script))
_USUAL = ((0.38, 12, _teaser), (0.8, 3, _long_paragraph), (0.9, 5, _wide_box), (1.0, 1, _inline))



@cache
def demo_page(number: int) -> bytes:
    """The front page of the demonstration without consentry, a report with a film, or the one that takes donations.

    Its third parties stand on one of the denied domains.
    """
    sys.path.append(str(Path(__file__).parents[2]))
    from examples.flask_demo.app import create_app

    site = create_app(asks_first=False, stand_ins=f"https://{DENIED[0]}").test_client()
    answer = site.get(("/en/", "/en/undersea-cables", "/en/donate")[number])
    assert answer.status_code == 200
    return answer.data


PAGES = {"dense": dense_page, "usual": usual_page, "demo": demo_page}
