"""What is read byte by byte says of no sign that it means nothing where the expressions say that it means something."""

# ruff: noqa: E501  # tables of markup, one trick after another

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.gate import evidence, inline, kinds, signs, tokens
from consent.gate.elements import READ, judge
from consent.gate.tokens import Attribute

SCHEMES = (b"http", b"HTTPS", b"ttps", b"javascript", b"data", b"ftp", b"ws", b"wss", b"\n", b"\t", b"p", b"s", b"t", b"a", b":", b"//",
           b"/", b"image/png;", b"image/svg+xml;", b"x", b"image/gif,", b"scrip")  # fmt: skip
REFERENCES = (b"&", b"#", b"x", b"X", b"0", b"47", b"3", b"9", b"2f", b"2F", b"34", b"62", b"120", b"128", b"8217", b";", b"amp", b"AMP;", b"sol",
              b"bsol", b"colon", b"Tab;", b"tab;", b"NewLine;", b"newline", b"lpar", b"copy", b"so", b"nbsp;", b"a", b"am")  # fmt: skip
ESCAPES = (b"\\", b"0000", b"00", b"2f", b"5C", b"68", b"f101", b"9", b"h", b"T", b"/", b":", b" ", b"\r\n", b"\n", b";", b"}", b"x", b"61 ", b"d", b"'")
SCRIPTS = (b"import", b"from", b" ", b"(", b".", b"meta", b"defer", b"source", b"'", b'"', b"`", b"/", b"//", b"/*", b"*/", b"\\", b"\n", b"a",
           b"https:", b"a.example", b"$", b"_", b"\xc2\xa0", b"./x", b"x,", b"1")  # fmt: skip
COMMENTS = (b"<!--", b"<!", b"--", b"-", b">", b"!", b"x", b"--!>", b"-->", b"<", b"x" * 70)
TAGS = (b"<", b"</", b"a", b"Img", b" ", b"\t", b"/", b"=", b"'", b'"', b">", b"x", b"src", b"<!", b"\xc3", b"\x00", b"1")
CODE = (b"<!--", b"-->", b"<script", b"<Script ", b"</script", b"</SCRIPT>", b"</script ", b"</scripts>", b">", b"<", b"</", b"x", b"<s", b"<!-", b" ")


def of(parts: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(parts), max_size=12).map(b"".join)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(TAGS), max_size=16).map(b"".join))
def test_a_tag_begins_and_ends_where_the_expression_says(rest) -> None:
    for text in (b"<" + rest, b"<a" + rest, b"</a " + rest + b">", b"<a b='c' " + rest + b"\">"):
        name, whole = tokens.NAME.match(text), tokens.TAG.match(text)
        at = signs.name_start(text, 0, len(text))
        assert at == (name.start(1) if name else -1)
        if name:
            assert signs.name_end(text, at, len(text)) == name.end()
            assert signs.tag_end(text, name.end(), len(text)) == (whole.end() if whole else -1)


@settings(max_examples=500, deadline=None)
@given(of(SCHEMES))
def test_every_scheme_that_matters_ends_in_a_colon_that_may_end_one(text) -> None:
    text = b'="' + text
    for match in re.finditer(evidence._SCHEME, text.lower()):
        at = match.start()
        assert signs.SCHEME_ENDS[text[at - 1]]
        assert signs.ends_scheme(text, at, len(text))


@pytest.mark.parametrize("calm", [b'="color:red', b'="a:b', b' src="data:image/png;x', b'="https://x', b'="md:flex', b'="title: a', b"=:"])
def test_other_colons_end_none(calm) -> None:
    at = calm.index(b":")
    assert not (signs.SCHEME_ENDS[calm[at - 1]] and signs.ends_scheme(calm, at, len(calm)))


@pytest.mark.parametrize("picture", signs.PICTURED)
@pytest.mark.parametrize(("kind", "is_calm"), [(b"image/png;", True), (b"image/svg+xml;", False), (b"text/css,", False)])
def test_a_picture_is_known_by_what_is_before_it(picture, kind, is_calm) -> None:
    for text in (picture + kind, b"   " + picture + kind):
        at = text.index(b"data:") + 4
        assert signs.ends_scheme(text, at, len(text)) != is_calm
        assert (re.compile(evidence._SCHEME).match(text, at) is None) == is_calm
    at = len("=data")
    assert signs.ends_scheme(b"=data:" + kind, at, at + 1 + len(kind))


@settings(max_examples=500, deadline=None)
@given(of(REFERENCES))
def test_every_reference_that_matters_may_be_one(text) -> None:
    for match in re.finditer(evidence._REFERENCE, text.lower()):
        assert signs.refers(text, match.start() + 1, len(text))


@pytest.mark.parametrize("told", [b"&sol;x", b"&colon;", b"&bsol;x", b"&Tab;x", b"&NewLine;", b"&lpar;x", b"&#47;x", b"&#x2F;", b"&#x5c", b"&amp;sol;", b"&AMPbsol", b"&#1"])
def test_each_reference_by_name_or_number_may_be_one(told) -> None:
    assert signs.refers(told, 1, len(told))


@pytest.mark.parametrize("calm", [b"&copy=1", b"&nbsp;x", b"&amp;b=1", b"&#39;xx", b"&#8217;", b"&#x27;x", b"&AMP;amp;x12", b"&aacute;", b"&b=12"])
def test_other_references_are_none(calm) -> None:
    assert not signs.refers(calm, 1, len(calm))


@settings(max_examples=500, deadline=None)
@given(of(ESCAPES))
def test_every_escape_that_matters_may_stand_for_something(sheet) -> None:
    for match in re.finditer(evidence._STANDING, sheet.lower()):
        number = re.match(rb"\\([0-9a-fA-F]{1,6})([;}]?)", sheet[match.start() :])
        code = int(number[1], 16) if number else 0
        hack = code == 9 and number is not None and number[2]  # a tab, and behind it what no address has
        assert hack or code >= 0x80 or signs.stands(sheet, match.start() + 1, len(sheet))


@pytest.mark.parametrize("calm", [b"\\f101'", b"\\201C", b"\\9;", b"\\9}", b"\\'", b"\\e900x", b"\\000201c", b"\\-"])
def test_other_escapes_stand_for_nothing(calm) -> None:
    assert not signs.stands(calm, 1, len(calm))


@settings(max_examples=800, deadline=None)
@given(of(SCRIPTS))
def test_every_import_from_elsewhere_may_be_one(script) -> None:
    places = [match.start() for match in re.finditer(rb"import|from", script)]
    may = any(signs.may_import(script, at, len(script)) for at in places)
    assert may or not inline.imports_from_elsewhere(script)
    assert signs.names_module(script, 0, len(script)) == may


@pytest.mark.parametrize(
    "calm",
    [b"import.meta.url", b"from the", b"Array.from('//x')", b"import('./x')", b'from","a', b"from 'a:\n'", b"import", b"from '//x", b"$import '//x'", b"from `a"],
)  # fmt: skip
def test_other_words_import_nothing_from_elsewhere(calm) -> None:
    assert not any(signs.may_import(calm, match.start(), len(calm)) for match in re.finditer(rb"import|from", calm))
    assert not inline.imports_from_elsewhere(calm)


@pytest.mark.parametrize("script", [b"import/**/'//x'", b"from'\\x2f'", b"import'https:x'", b"import(`//x`)", b"import.defer('x')", b"import('a\n", b"import('a"])
def test_words_that_may_import_from_elsewhere_are_looked_at(script) -> None:
    assert signs.may_import(script, 0, len(script))


@pytest.mark.parametrize(
    ("before", "may"),
    [(b"...", True), (b";\x810\x842", True), (b"a.", False), (b"..", False), (b"1", False), (b"a2", False), (b".", False), (b"$", False)],
)
def test_what_only_looks_like_a_word_before_an_import_makes_none_of_it(before, may) -> None:
    script = before + b"import('//x')"
    assert signs.may_import(script, len(before), len(script)) is may


def test_a_reference_that_may_go_on_behind_the_text_may_be_one() -> None:
    assert signs.refers(b"&so", 1, 3)


@settings(max_examples=500, deadline=None)
@given(of(COMMENTS))
def test_a_declaration_ends_where_its_token_does_or_is_left_to_others(text) -> None:
    text = b"<!" + text
    end = signs.declaration_end(text, 0, len(text))
    assert end in (-1, tokens.token_end(text, 0))


@pytest.mark.parametrize("usual", [b"<!-- a -->", b"<!doctype html>", b"<!---->", b"<!-- a --- b -->", b"<!-- " + b"x" * 200 + b"-->", b"<!-- a --!>"])
def test_the_end_of_a_usual_declaration_is_known(usual) -> None:
    assert signs.declaration_end(usual + b" ", 0, len(usual) + 1) == len(usual)
    assert signs.declaration_end(usual[:-1], 0, len(usual) - 1) == -1


@settings(max_examples=500, deadline=None)
@given(of(CODE))
def test_a_script_ends_where_a_browser_ends_it_or_is_left_to_others(text) -> None:
    end = signs.script_end(text, 0, len(text))
    assert end in (-1, tokens.script_end(text.lower(), 0)[0])


def test_the_end_of_a_usual_script_is_known() -> None:
    assert signs.script_end(b"<!-- a < b --></script>", 0, 23) == 14
    assert signs.script_end(b"<!-- <script></script></script>", 0, 31) == -1


def test_no_two_names_share_a_slot_and_each_is_known_in_any_case() -> None:
    slots = [kinds.slot(name[0], name[min(1, len(name) - 1)], name[-1], len(name)) for name in kinds.KINDS]
    assert len(set(slots)) == len(slots)
    for name, kind in kinds.KINDS.items():
        for written in (name, name.upper(), name.title()):
            assert kinds.kind_of(b"<" + written + b">", 1, 1 + len(name)) == kind
        for other in (*(name[:length] for length in range(1, len(name))), name + b"x", b"x" + name, name[:-1] + b"0", name[:1] + b"9" + name[1:], name[:-1] + b"\xff"):
            assert kinds.kind_of(other, 0, len(other)) == kinds.KINDS.get(other, 0)
    assert kinds.kind_of(b"x" * 40, 0, 40) == 0


@pytest.mark.parametrize("element", [*sorted(kinds.KINDS), b"a", b"form", b"body", b"p", b"button"])
def test_what_an_element_may_fetch_from_is_among_the_attributes_that_are_read(gate, refused, element) -> None:
    page = gate.page(refused, base_url="https://harbour.example/")
    names = sorted({*READ, *NAMES})
    found = set()
    for name in names:
        for value in (b"//a.stats.example/x", b"url(//a.stats.example/x)", b"javascript:import('//a.stats.example/x')"):
            others = [Attribute(b"rel", b"stylesheet", 0, 0), Attribute(b"http-equiv", b"refresh", 0, 0), Attribute(b"type", b"image", 0, 0)]
            if judge(page, element, [Attribute(name, value, 0, 0), *others]).said:
                found.add(name)
    assert found <= READ
    assert found


NAMES = (
    b"accept action align alt archive as async autocomplete background cite class classid code codebase color cols content coords data datetime "
    b"dir d download dynsrc enctype fetchpriority for formaction from headers height href hreflang icon id imagesizes imagesrcset integrity "
    b"is itemid itemprop itemtype label lang list longdesc loop lowsrc manifest max media method min name nonce pattern ping placeholder poster "
    b"profile property rel rev role rows sandbox scope shape size sizes slot span src srcdoc srclang srcset start step style summary tabindex "
    b"target title to transform type usemap value values width wrap xlink:href xml:base xmlns"
).split()
