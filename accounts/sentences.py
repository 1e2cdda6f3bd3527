"""Errors in words, in the language of the request that is being answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

if TYPE_CHECKING:
    from bridge.errors import BridgeError


def sentence(fault: BridgeError) -> str:
    """Return what went wrong and what to do; sentences that programs parse stay as they are."""
    text = fault.text if fault.verbatim else gettext(fault.text)
    return text % fault.params if fault.params else text
