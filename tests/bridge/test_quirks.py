"""The list of quirks and the code that minds them speak of the same things."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "bridge" / "QUIRKS.md"

_NAME = r"[a-z]+(?:-[a-z0-9]+)+"
_CITED = re.compile(rf"[Qq]uirks?(?: ids in `bridge/QUIRKS\.md`:)?\s+({_NAME}(?:,\s+(?:and\s+)?{_NAME})*)")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def cited(text: str) -> set[str]:
    return {name for found in _CITED.findall(text) for name in re.findall(_NAME, found)}


def paragraphs() -> dict[str, str]:
    parts = re.split(r"^## ", LIST.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert not [name for name, times in Counter(part.split("\n", 1)[0] for part in parts).items() if times > 1]
    return dict(part.split("\n", 1) for part in parts)


def sources() -> str:
    files = sorted((ROOT / "bridge").rglob("*.py"))
    # A comment or docstring may wrap within a list of names.
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_citations_are_found_in_all_their_shapes() -> None:
    assert cited("Quirk ids in `bridge/QUIRKS.md`: a-b,\nc-d-2, e-f.") == {"a-b", "c-d-2", "e-f"}
    assert cited("# quirk a-b: so") == {"a-b"}
    assert cited("Quirks a-b, and c-d do it; e-f not.") == {"a-b", "c-d"}
    assert cited("Quirk a-b, and fields that; with an id in `bridge/QUIRKS.md`; the quirk of it.") == {"a-b"}


def test_every_quirk_the_code_minds_is_explained() -> None:
    assert cited(sources()) - paragraphs().keys() == set()


def test_every_quirk_explained_is_one_the_code_minds() -> None:
    assert paragraphs().keys() - cited(sources()) == set()


@pytest.mark.parametrize("name", paragraphs())
def test_every_quirk_names_its_source_and_a_test_that_exists(name: str) -> None:
    paragraph = paragraphs()[name]
    assert "\nSource: " in paragraph
    found = _TEST.findall(paragraph.partition("\nTest: ")[2])
    assert found
    for path, test in found:
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")
