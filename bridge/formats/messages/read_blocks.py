"""Messages, content blocks of a request read as parts."""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.errors import BadRequest
from bridge.formats.messages.documents import decoded_text, inline_source
from bridge.formats.messages.notes import name_of_kind
from bridge.parts import (
    Cache,
    Call,
    Citation,
    Compaction,
    Document,
    Image,
    Part,
    Reasoning,
    Result,
    Seal,
    SealKind,
    Search,
    Source,
    Text,
)

Block = dict[str, Any]


class BlockReader:
    """Reads the blocks of one turn; a search and what it found stand in two blocks and become one part."""

    def __init__(self, dropped: list[str]) -> None:
        self._dropped = dropped

    def parts(self, content: object, param: str) -> tuple[Part, ...]:
        """The parts of a message's content. Raises BadRequest for what is no content."""
        if isinstance(content, str):
            return (Text(content),) if content else ()
        found: list[Part] = []
        for index, block in enumerate(_listed(content, param)):
            where = f"{param}[{index}]"
            if not isinstance(block, dict):
                raise BadRequest("'%(param)s' must be an object.", {"param": where}, param=where)
            if block.get("type") == "web_search_tool_result":
                _complete_search(found, block)
            else:
                found += self._block(block, where)
        return tuple(found)

    def _block(self, block: Block, param: str) -> list[Part]:
        kind = block.get("type")
        match kind:
            case "text" | "image" | "document" | "search_result":
                return list(self._plain(block, param))
            case "tool_use":
                given = block.get("input") or {}
                arguments = given if isinstance(given, str) else msgspec.json.encode(given).decode()
                name = _text(block, "name", param)
                return [Call(_text(block, "id", param), name, arguments, cache=read_cache(block))]
            case "tool_result":
                return [self._result(block, param)]
            case "thinking":
                thought, signature = str(block.get("thinking") or ""), block.get("signature")
                seal = Seal(SealKind.SIGNATURE, signature) if isinstance(signature, str) and signature else None
                return [Reasoning((thought,) if thought else (), seal)] if thought or seal else []
            case "redacted_thinking":
                return [Reasoning((), Seal(SealKind.REDACTED, _text(block, "data", param)))]
            case "server_tool_use" if block.get("name") == "web_search":
                wanted = block.get("input")
                query = wanted.get("query") if isinstance(wanted, dict) else ""
                return [Search(str(block.get("id") or ""), query if isinstance(query, str) else "")]
            case "compaction":
                return [Compaction(text=str(block.get("content") or ""))]
            case _:
                self._dropped.append(name_of_kind(block.get("name") if kind == "server_tool_use" else kind))
                return []

    def _plain(self, block: Block, param: str) -> list[Text | Image | Document]:
        """What may stand in a turn and in a tool's result alike."""
        match block.get("type"):
            case "text":
                text = _text(block, "text", param)
                return [Text(text, _citations(block.get("citations")), cache=read_cache(block))] if text else []
            case "image":
                return [_image(block, _source(block, param))]
            case "document":
                return self._document(block, _source(block, param), param)
            case "search_result":
                return [Text(_search_result(block), cache=read_cache(block))]
            case kind:
                self._dropped.append(name_of_kind(kind))
                return []

    def _result(self, block: Block, param: str) -> Result:
        content = block.get("content")
        parts: list[Text | Image | Document] = []
        if isinstance(content, str):
            parts = [Text(content)] if content else []
        elif content is not None:
            for index, inner in enumerate(_listed(content, f"{param}.content")):
                where = f"{param}.content[{index}]"
                if not isinstance(inner, dict):
                    raise BadRequest("'%(param)s' must be an object.", {"param": where}, param=where)
                parts += self._plain(inner, where)
        call_id = _text(block, "tool_use_id", param)
        return Result(call_id, tuple(parts), block.get("is_error") is True, cache=read_cache(block))

    def _document(self, block: Block, source: Block, param: str) -> list[Text | Image | Document]:
        cites = block.get("citations")
        document = Document(
            title=str(block.get("title") or ""),
            context=str(block.get("context") or ""),
            cites=isinstance(cites, dict) and cites.get("enabled") is True,
            cache=read_cache(block),
        )
        match source.get("type"):
            case "base64":
                media_type, data = str(source.get("media_type") or ""), str(source.get("data") or "")
                text = decoded_text(media_type, data)
                if text is not None:
                    return [msgspec.structs.replace(document, text=text)]
                return [msgspec.structs.replace(document, media_type=media_type, data=data)]
            case "url":
                return [msgspec.structs.replace(document, url=str(source.get("url") or ""))]
            case "file":
                return [msgspec.structs.replace(document, file_id=str(source.get("file_id") or ""))]
            case "text":
                return [msgspec.structs.replace(document, text=str(source.get("data") or ""))]
            case "content":
                return self._document_content(document, source.get("content"), param)
            case kind:
                self._dropped.append(name_of_kind(kind))
                return []

    def _document_content(self, document: Document, content: object, param: str) -> list[Text | Image | Document]:
        if isinstance(content, str):
            return [msgspec.structs.replace(document, text=content)]
        blocks = [block for block in _listed(content, param) if isinstance(block, dict)]
        texts = [str(block.get("text") or "") for block in blocks if block.get("type") == "text"]
        images = [_image(block, _source(block, param)) for block in blocks if block.get("type") == "image"]
        return [msgspec.structs.replace(document, text="\n\n".join(texts)), *images]


def read_cache(block: Block) -> Cache | None:
    """A block's or tool's caching breakpoint."""
    control = block.get("cache_control")
    if not isinstance(control, dict):
        return None
    match control.get("ttl"):
        case "1h":
            return Cache.ONE_HOUR
        case "5m":
            return Cache.FIVE_MINUTES
        case _:
            return Cache.USUAL


def read_citation(citation: object) -> Citation | None:
    """A citation of any of Anthropic's kinds; those of documents name a title and no address."""
    if not isinstance(citation, dict):
        return None
    url = citation.get("url") or citation.get("source")
    title = citation.get("title") or citation.get("document_title")
    return Citation(
        url if isinstance(url, str) else "",
        title if isinstance(title, str) else "",
        quote=str(citation.get("cited_text") or ""),
    )


def read_sources(content: object) -> tuple[Source, ...]:
    """What a `web_search_tool_result` found; nothing when it holds an error."""
    pages = [page for page in content if isinstance(page, dict)] if isinstance(content, list) else []
    return tuple(
        Source(page["url"], str(page.get("title") or "")) for page in pages if isinstance(page.get("url"), str)
    )


def _complete_search(found: list[Part], block: Block) -> None:
    """Lay what was found into the search it belongs to; alone it is a search of its own."""
    wanted, sources = str(block.get("tool_use_id") or ""), read_sources(block.get("content"))
    for at, part in enumerate(found):
        if isinstance(part, Search) and part.id == wanted:
            found[at] = Search(part.id, part.query, sources)
            return
    found.append(Search(wanted, "", sources))


def _citations(citations: object) -> tuple[Citation, ...]:
    read = [read_citation(each) for each in citations] if isinstance(citations, list) else []
    return tuple(citation for citation in read if citation is not None)


def _image(block: Block, source: Block) -> Image:
    cache = read_cache(block)
    match source.get("type"):
        case "base64":
            return Image(str(source.get("media_type") or ""), str(source.get("data") or ""), cache=cache)
        case "file":
            return Image(file_id=str(source.get("file_id") or ""), cache=cache)
        case _:
            url = str(source.get("url") or "")
            inline = inline_source(url)
            return Image(inline["media_type"], inline["data"], cache=cache) if inline else Image(url=url, cache=cache)


def _search_result(block: Block) -> str:
    content = block.get("content")
    blocks = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    texts = [str(part.get("text") or "") for part in blocks]
    return "\n\n".join([f"{block.get('title') or ''}\n{block.get('source') or ''}".strip(), *texts]).strip()


def _source(block: Block, param: str) -> Block:
    source = block.get("source")
    if not isinstance(source, dict):
        raise BadRequest("'%(param)s.source' must be an object.", {"param": param}, param=f"{param}.source")
    return source


def _text(block: Block, name: str, param: str) -> str:
    value = block.get(name)
    if not isinstance(value, str):
        where = f"{param}.{name}"
        raise BadRequest("'%(name)s' must be a string.", {"name": where}, param=where)
    return value


def _listed(content: object, param: str) -> list[Any]:
    if not isinstance(content, list):
        raise BadRequest("'%(name)s' must be a list.", {"name": param}, param=param)
    return content
