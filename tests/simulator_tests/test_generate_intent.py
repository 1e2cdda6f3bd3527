"""What is read out of a question, and how tools and schemas are filled from it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.generate import prose
from tests.simulator.generate.arguments import Filler
from tests.simulator.generate.ask import Ask
from tests.simulator.generate.intent import Action, intent_of
from tests.simulator.generate.read_chat import read_chat
from tests.simulator.generate.read_responses import read_responses
from tests.simulator.generate.script import Script, script_for
from tests.simulator.scenario import Scenario

CLAUDE_CODE = {
    "Write": {
        "file_path": {"type": "string", "description": "The absolute path to the file"},
        "content": {"type": "string"},
    },
    "Read": {"file_path": {"type": "string", "description": "The absolute path to the file"}},
    "Bash": {"command": {"type": "string"}, "description": {"type": "string"}},
    "Task": {"prompt": {"type": "string"}},
    "TaskCreate": {"subject": {"type": "string"}},
}


def chat_tools(tools: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "parameters": {"type": "object", "properties": fields, "required": list(fields)},
            },
        }
        for name, fields in tools.items()
    ]


def ask(question: str, tools: dict[str, Any]) -> Ask:
    system = {"role": "system", "content": "Environment:\nWorking directory: /home/dev/project\n"}
    return read_chat({"messages": [system, {"role": "user", "content": question}], "tools": chat_tools(tools)})


def script(question: str, tools: dict[str, Any]) -> Script:
    return script_for(ask(question, tools), Scenario(), thinks=False)


def calls(question: str, tools: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(call.tool, json.loads(call.arguments)) for call in script(question, tools).calls]


@pytest.mark.parametrize(
    ("question", "file", "content"),
    [
        ("create a file hello.txt containing hi", "hello.txt", "hi"),
        ('Create a file called `notes.md` with the content "a b" using the Bash tool.', "notes.md", "a b"),
        ("请创建文件hello.txt，内容为你好", "hello.txt", "你好"),
        ("Create hello.txt saying hi there. Then stop", "hello.txt", "hi there"),
        ("write src/a.py containing print(1)", "src/a.py", "print(1)"),
    ],
)
def test_a_file_to_create_is_found_with_its_content(question: str, file: str, content: str) -> None:
    intent = intent_of(question)
    assert (intent.action, intent.files, intent.content) == (Action.CREATE, (file,), content)


def test_addresses_are_no_files() -> None:
    intent = intent_of("fetch https://example.com/page.html")
    assert (intent.files, intent.urls) == ((), ("https://example.com/page.html",))


def test_a_write_tool_gets_the_path_below_the_working_directory() -> None:
    wanted = {"file_path": "/home/dev/project/hello.txt", "content": "hi"}
    assert calls("create a file hello.txt containing hi", CLAUDE_CODE) == [("Write", wanted)]


def test_a_shell_creates_the_file_when_it_is_the_tool_asked_for() -> None:
    question = "Use the Bash tool to create hello.txt containing hi"
    [(tool, arguments)] = calls(question, CLAUDE_CODE)
    assert (tool, arguments["command"]) == ("Bash", "printf '%s\\n' 'hi' > hello.txt")


def test_a_shell_that_takes_a_list_gets_a_list() -> None:
    tools = {"shell": {"command": {"type": "array", "items": {"type": "string"}}}}
    assert calls("run `ls -la`", tools) == [("shell", {"command": ["bash", "-lc", "ls -la"]})]


def test_a_patch_tool_gets_a_patch() -> None:
    body = {
        "input": "create a file hello.txt containing hi",
        "tools": [{"type": "custom", "name": "apply_patch", "description": "Edit files with a patch"}],
    }
    [call] = script_for(read_responses(body), Scenario(), thinks=False).calls
    assert call.arguments == "*** Begin Patch\n*** Add File: hello.txt\n+hi\n*** End Patch\n"


def test_a_code_tool_in_a_namespace_gets_code() -> None:
    inner = {"type": "custom", "name": "exec", "description": "Runs JavaScript with the tools on `tools`"}
    item = {
        "type": "additional_tools",
        "role": "developer",
        "tools": [{"type": "namespace", "name": "functions", "tools": [inner]}],
    }
    body = {"input": [item, {"role": "user", "content": "create a file hello.txt containing hi"}]}
    [call] = script_for(read_responses(body), Scenario(), thinks=False).calls
    assert (call.namespace, call.kind) == ("functions", "custom")
    assert call.arguments.startswith('const r = await tools.exec_command({cmd: "printf ')


@pytest.mark.parametrize(
    "question",
    ["hello", "Write a poem about spring", "Explain the task of a compiler", "What does the word read mean?", "你好"],
)
def test_ordinary_questions_call_no_tool(question: str) -> None:
    assert calls(question, CLAUDE_CODE) == []


def test_two_places_or_two_files_make_two_calls() -> None:
    weather = {"get_weather": {"city": {"type": "string"}}}
    assert calls("What is the weather in Paris and London?", weather) == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "London"}),
    ]
    assert [arguments["file_path"] for _, arguments in calls("read a.txt and b.txt", CLAUDE_CODE)] == [
        "/home/dev/project/a.txt",
        "/home/dev/project/b.txt",
    ]


def test_the_same_question_gets_the_same_text_and_another_one_another() -> None:
    assert prose.about("What is a monad?") == prose.about("What is a monad?")
    assert prose.about("What is a monad?") != prose.about("What is a functor?")
    assert "monad" in prose.about("What is a monad?")


def test_a_chinese_question_is_answered_in_chinese() -> None:
    text = prose.about("什么是函数式编程？")
    assert "函数式编程" in text
    assert prose.is_chinese(text)


@pytest.mark.parametrize(
    ("question", "text"),
    [("Reply with exactly: pong", "pong"), ('Say only the word "blue".', "blue"), ("请只回复：好的", "好的")],
)
def test_an_exact_wish_is_granted(question: str, text: str) -> None:
    assert prose.about(question) == text


@given(st.text(max_size=200))
def test_pieces_are_the_whole_text(text: str) -> None:
    assert "".join(prose.pieces_of(text)) == text


def fill(schema: dict[str, Any], question: str = "count the planets") -> Any:
    return Filler(intent_of(question), "planets", schema).fill(schema)


def test_references_unions_and_bounds_are_respected() -> None:
    schema = {
        "$defs": {
            "Row": {"type": "object", "properties": {"id": {"type": "integer", "minimum": 5}}, "required": ["id"]}
        },
        "type": "object",
        "properties": {
            "rows": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Row"}},
            "kind": {"enum": ["small", "large"]},
            "note": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 3}]},
            "when": {"type": "string", "format": "date"},
            "sure": {"type": ["boolean", "null"]},
            "fixed": {"const": 7},
        },
        "required": ["rows", "kind", "note", "when", "sure", "fixed"],
    }
    assert fill(schema, "a large one please") == {
        "rows": [{"id": 5}, {"id": 5}],
        "kind": "large",
        "note": "pla",
        "when": "2026-01-15",
        "sure": False,
        "fixed": 7,
    }


def test_a_schema_that_refers_to_itself_ends() -> None:
    node: dict[str, Any] = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
        "required": ["name", "children"],
    }
    filled = fill({"$defs": {"Node": node}, "$ref": "#/$defs/Node"})
    assert filled["name"] == "planets"
    assert len(json.dumps(filled)) < 2000
