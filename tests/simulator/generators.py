"""Which generator answers which path of the Copilot API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from tests.simulator.accounts import Account
from tests.simulator.catalogue import Model
from tests.simulator.generate import chat, embeddings, messages, responses
from tests.simulator.wire import Request, Wire
from tests.simulator.world import World

Answer = Callable[[World, Account, Model, Request, Wire], Awaitable[None]]

GENERATORS: Mapping[str, Answer] = MappingProxyType({
    "/chat/completions": chat.answer,
    "/responses": responses.answer,
    "/v1/responses": responses.answer,
    "/v1/messages": messages.answer,
    "/v1/messages/count_tokens": messages.count_tokens,
    "/embeddings": embeddings.answer,
})  # fmt: skip
