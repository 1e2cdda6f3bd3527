"""Calls that their model did not sign are told in words, signed ones stay."""

from __future__ import annotations

from bridge.parts import Call, Image, Reasoning, Result, Seal, SealKind, Text
from bridge.plain_calls import tell_unsigned_calls
from bridge.prompt import Prompt, Role, Turn

SEAL = Seal(SealKind.OPAQUE, "opaque")
CALL = Call("call_1", "look", '{"at":"it"}')
IMAGE = Image(media_type="image/png", data="AAAA")
RESULT = Turn(Role.USER, (Result("call_1", (Text("Mark-7"), IMAGE)),))


def test_an_unsigned_call_and_its_result_become_text() -> None:
    told = tell_unsigned_calls(Prompt((Turn(Role.ASSISTANT, (Text("Let me look"), CALL)), RESULT)))
    assert told.turns == (
        Turn(Role.ASSISTANT, (Text("Let me look"), Text('[Called the tool look with {"at":"it"}]'))),
        Turn(Role.USER, (Text("[The tool look gave]\nMark-7"), IMAGE)),
    )


def test_a_failure_stays_one() -> None:
    failed = Turn(Role.USER, (Result("call_1", (Text("No"),), is_error=True),))
    told = tell_unsigned_calls(Prompt((Turn(Role.ASSISTANT, (CALL,)), failed)))
    assert told.turns[1].parts == (Text("[The tool look failed with]\nNo"),)


def test_a_signed_call_stays_a_call() -> None:
    prompt = Prompt((Turn(Role.ASSISTANT, (Reasoning(("Hm",), SEAL), CALL)), RESULT))
    assert tell_unsigned_calls(prompt) is prompt
