"""Tool names upstream: always fit, never shared, always the same for the same tool."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bridge.parts import CallKind
from bridge.tool_names import Origin, Sent, ToolNames

FIT = re.compile(r"[a-zA-Z0-9_-]{1,64}")
names = st.one_of(st.sampled_from(["a", "b", "a__b", "tool_search", "ä b", ""]), st.text("abÄ._- ", max_size=80))
spaces = st.sampled_from(["", "", "a", "collaboration", "mcp server", "x" * 70])
declared = st.lists(st.tuples(spaces, names), unique=True, max_size=12)


def given_out(tools: list[tuple[str, str]], *, flat: bool) -> tuple[ToolNames, list[Sent | None]]:
    register = ToolNames(flat=flat, wraps=False)
    return register, [register.declare(name, space, CallKind.FUNCTION) for space, name in tools]


@given(declared, st.booleans())
def test_names_are_fit_and_no_two_tools_share_one(tools: list[tuple[str, str]], flat: bool) -> None:
    _, sent = given_out(tools, flat=flat)
    assert all(each is not None and FIT.fullmatch(each.name) for each in sent)
    assert all(each is not None and (not each.namespace or FIT.fullmatch(each.namespace)) for each in sent)
    assert len(set(sent)) == len(tools)


@given(declared, st.booleans())
def test_every_name_leads_back_to_its_tool(tools: list[tuple[str, str]], flat: bool) -> None:
    register, sent = given_out(tools, flat=flat)
    for (space, name), each in zip(tools, sent, strict=True):
        assert each is not None
        origin = register.origins.get(each, Origin(each.name, each.namespace))
        assert (origin.namespace, origin.name) == (space, name)
        assert register.of(name, space) == each


@given(declared, st.booleans())
def test_the_same_tools_have_the_same_names_in_every_turn(tools: list[tuple[str, str]], flat: bool) -> None:
    assert given_out(tools, flat=flat)[1] == given_out(tools, flat=flat)[1]


def test_a_name_that_fits_stays() -> None:
    register, sent = given_out([("", "read_file"), ("", "mcp__x__y"), ("box", "read_file")], flat=False)
    assert sent == [Sent("read_file"), Sent("mcp__x__y"), Sent("read_file", "box")]
    assert register.origins == {}


def test_a_namespace_is_folded_into_the_name_where_there_is_none() -> None:
    register, sent = given_out([("functions", "exec")], flat=True)
    assert sent == [Sent("functions__exec")]
    assert register.origins == {Sent("functions__exec"): Origin("exec", "functions")}


def test_reserved_names_get_a_suffix() -> None:
    _, sent = given_out([("", "tool_search"), ("collaboration", "wait")], flat=False)
    assert sent[0] is not None
    assert sent[1] is not None
    assert re.fullmatch(r"tool_search_[0-9a-f]{8}", sent[0].name)
    assert re.fullmatch(r"collaboration_[0-9a-f]{8}", sent[1].namespace)
    assert sent[1].name == "wait"


def test_a_tool_is_declared_once() -> None:
    _, sent = given_out([("", "f"), ("", "f")], flat=True)
    assert sent == [Sent("f"), None]


def test_a_tool_called_without_its_namespace_is_found_when_it_is_the_only_one() -> None:
    register, _ = given_out([("box", "run"), ("box", "stop"), ("den", "stop")], flat=True)
    assert register.of("run") == Sent("box__run")
    assert register.of("stop") is None
    assert register.of("run", "den") is None


def test_a_tool_that_was_called_but_is_not_there_has_a_fit_name_that_leads_back() -> None:
    register, _ = given_out([("", "f")], flat=True)
    sent = register.mention("g.h", "", CallKind.FUNCTION)
    assert FIT.fullmatch(sent.name)
    assert register.origins[sent] == Origin("g.h")
    assert register.of("g.h") is None


def test_a_mention_never_takes_a_declared_tools_name_away() -> None:
    register, _ = given_out([("box", "run")], flat=True)
    assert register.mention("box__run", "", CallKind.FUNCTION) == Sent("box__run")
    assert register.origins == {Sent("box__run"): Origin("run", "box")}
