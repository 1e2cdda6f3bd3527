"""The Simplified Chinese catalogue: compiled from its source, complete for the pages, placeholders kept."""

from __future__ import annotations

import gettext
import io
import re
from pathlib import Path

import pytest
from django.template import Engine
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import override

from accounts.models import LoginFault, SeatState, UsageStatus
from tests.proxy.pages.catalogue import LOCALE, ROOT, compiled, read_plurals, read_po, wanted_by_source

PO = LOCALE / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = sorted((ROOT / "proxy" / "pages").glob("*.py"))
TEMPLATES = [
    path.relative_to(ROOT / "templates").as_posix()
    for path in sorted([*(ROOT / "templates").glob("*.html"), *(ROOT / "templates" / "pages").glob("*.html")])
]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


def catalogue_of(file: bytes) -> dict[object, str]:
    # What a compiled catalogue holds is nowhere public.
    found: dict[object, str] = vars(gettext.GNUTranslations(io.BytesIO(file)))["_catalog"]
    return found


def wanted_by_template(name: str) -> list[str]:
    nodes = Engine.get_default().get_template(name).nodelist
    found: list[str] = []
    for node in [*nodes.get_nodes_by_type(TranslateNode), *nodes.get_nodes_by_type(BlockTranslateNode)]:
        if isinstance(node, TranslateNode):
            found.append(str(node.filter_expression.var)[1:-1])
        elif isinstance(node, BlockTranslateNode):
            found += [node.render_token_list(tokens)[0] for tokens in (node.singular, node.plural) if tokens]
    return found


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    committed = PO.with_suffix(".mo").read_bytes()
    assert catalogue_of(committed) == catalogue_of(compiled(PO)), "run: python -m tests.proxy.pages.catalogue"


def test_the_source_has_no_message_without_a_translation() -> None:
    assert [msgid for msgid, forms in read_po(PO).items() if not all(forms)] == []
    assert "fuzzy" not in PO.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_sentence_of_a_page_is_translated(path: Path) -> None:
    messages = read_po(PO)
    assert [text for text in wanted_by_source(path) if text not in messages] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_sentence_of_a_template_is_translated(name: str) -> None:
    known = read_po(PO).keys() | set(read_plurals(PO).values())
    wanted = wanted_by_template(name)
    assert [text for text in wanted if text.strip() and text not in known] == []


def test_placeholders_survive_the_translation() -> None:
    for msgid, forms in read_po(PO).items():
        for form in forms:
            assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(msgid)), msgid


@pytest.mark.parametrize("choices", [UsageStatus, SeatState, LoginFault])
def test_the_words_that_tables_bring_to_the_pages_are_translated(
    choices: type[UsageStatus] | type[SeatState] | type[LoginFault],
) -> None:
    english = [str(choice.label) for choice in choices]
    with override("zh-hans"):
        chinese = [str(choice.label) for choice in choices]
    assert not set(english) & set(chinese)
