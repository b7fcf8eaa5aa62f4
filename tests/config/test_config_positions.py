"""Line numbers hold for every way of writing TOML."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.config.position import Path, positions


def paths(data: Any, path: Path = ()) -> set[Path]:
    """Every path in parsed data."""
    found = {path} if path else set()
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        found |= paths(value, (*path, step))
    return found


KEYS = st.sampled_from(["a", "b-1", '"c d"', "'e.f'", '"g\\u0068"', "1", '"#"', '"="'])
SCALARS = st.sampled_from(
    ['"x"', "'y # no'", '"a\\"]b"', '"""two\nlines # ] } \\""" """', "'''\n[[not]]\na = 1'''", "1", "-1.5", "true",
     "2027-01-31", "2027-01-31 07:00:00", "inf", '"""""a"""""', "0x_F".replace("_", "")]
)  # fmt: skip
BREAKS = st.sampled_from(["", "\n", " # , ] }\n", "\n\n\t"])


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.sampled_from(["scalar", "scalar", "list", "table"])) if depth else "scalar"
    if kind == "scalar":
        return draw(SCALARS)
    if kind == "list":
        items = draw(st.lists(values(depth - 1), max_size=3))
        body = ",".join(draw(BREAKS) + item + draw(BREAKS) for item in items)
        comma = "," if items and draw(st.booleans()) else ""
        return f"[{body}{comma}{draw(BREAKS)}]"
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    return "{ " + ", ".join(f"{key} = {draw(values(depth - 1))}" for key in keys) + " }"


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = []
    for header in [
        "",
        *draw(
            st.lists(
                st.sampled_from(["[t]", "[ t . u ]", "[[r]]", "[[ r ]]", "[[r.s]]", "[r.w]", '["x y"]']), max_size=6
            )
        ),
    ]:
        lines += [draw(st.sampled_from(["", "# [no]", "  "])), header + draw(st.sampled_from(["", " # [[no]]"]))]
        for key in draw(st.lists(KEYS, max_size=3, unique=True)):
            dotted = key + draw(st.sampled_from(["", "", ". z", ".'q'"]))
            lines.append(f"  {dotted} = {draw(values())}{draw(st.sampled_from(['', ' # x = 1', chr(9)]))}")
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@given(documents())
@settings(max_examples=300, deadline=None)
def test_every_path_that_toml_has_gets_a_line_and_no_other(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # headers may clash; only valid texts are indexed
    lines = positions(text)
    assert set(lines) == paths(data)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_lines_are_those_a_person_would_point_at() -> None:
    text = "\n".join(
        [
            "# a comment",  # 1
            "[site]",
            'name = """',
            'a = 1"""',
            "[[service]]",  # 5
            "load = [",
            '  "a",  # first',
            "",
            '  "b" ]',
            "[[service]]",  # 10
            "x.y = { z = 1, list = [2] }",
            "[[service.storage]]",
            'name = "c"',
        ]
    )
    lines = positions(text)
    assert lines["site",] == 2
    assert lines["site", "name"] == 3
    assert ("site", "a") not in lines
    assert (lines["service", 0], lines["service", 1]) == (5, 10)
    assert (lines["service", 0, "load", 0], lines["service", 0, "load", 1]) == (7, 9)
    assert lines["service", 1, "x", "y", "list", 0] == 11
    assert lines["service", 1, "storage", 0, "name"] == 13
