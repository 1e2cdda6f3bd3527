"""Text that is stored encrypted and read only on purpose.

A field holds a `Sealed` value: its `repr` and `str` are dots, so nothing that prints a row shows it, and
it is decrypted when `reveal()` is called, so a list of rows opens even when a key is missing.
`BRIDGE_ENCRYPTION_KEYS` names the keys: the first one writes, all of them read, which lets a key be
changed without a pause:

    put the new key first  →  `manage.py reencrypt`  →  take the old key out

Keys may be any text of at least 32 characters; each becomes a Fernet key (AES-128-CBC with HMAC-SHA256) by
HKDF.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.lookups import Exact, IsNull
from django.db.models.query_utils import DeferredAttribute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper

    _Column = models.Field["str | Sealed | None", "Sealed | None"]
else:
    _Column = models.Field  # generic in the stubs only

SHORTEST_KEY = 32
_DOTS = "••••••"
_EXPORT_MARK = "sealed:"


class VaultLocked(ImproperlyConfigured):
    """A stored secret cannot be read with the keys at hand."""


class Sealed:
    """An encrypted text; `reveal()` returns what is inside."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: str) -> None:
        self.ciphertext = ciphertext

    @classmethod
    def of(cls, text: str) -> Sealed:
        return cls(_fernet().encrypt(text.encode()).decode())

    def reveal(self) -> str:
        """Return the text; raise `VaultLocked` when no key in the settings fits."""
        try:
            return _fernet().decrypt(self.ciphertext.encode()).decode()
        except InvalidToken as fault:
            raise VaultLocked(
                "A stored secret cannot be decrypted: BRIDGE_ENCRYPTION_KEYS lacks the key that wrote it."
            ) from fault

    def sealed_anew(self) -> Sealed:
        """Return the same text encrypted with the first key."""
        return Sealed.of(self.reveal())

    def __repr__(self) -> str:
        return _DOTS


class _SealingAttribute(DeferredAttribute):
    """Encrypts what is assigned, so that no row ever holds the plain text."""

    def __set__(self, row: models.Model, value: str | Sealed | None) -> None:
        row.__dict__[self.field.attname] = Sealed.of(value) if isinstance(value, str) else value


class EncryptedTextField(_Column):
    """A text column that is encrypted at rest and never part of a form."""

    descriptor_class = _SealingAttribute
    description = "Encrypted text"

    def __init__(self, *args: Any, **options: Any) -> None:
        options["editable"] = False
        super().__init__(*args, **options)

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, *_context: object) -> Sealed | None:
        return None if value is None else Sealed(value)

    def get_prep_value(self, value: str | Sealed | None) -> str | None:
        if value is None:
            return None
        return value.ciphertext if isinstance(value, Sealed) else Sealed.of(value).ciphertext

    def get_db_prep_value(
        self, value: str | Sealed | None, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> str | None:
        return value if prepared and isinstance(value, str) else self.get_prep_value(value)

    def to_python(self, value: str | Sealed | None) -> Sealed | None:
        if isinstance(value, str):
            return Sealed(value.removeprefix(_EXPORT_MARK)) if value.startswith(_EXPORT_MARK) else Sealed.of(value)
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """The form of exports: still encrypted."""
        value = self.value_from_object(obj)
        return _EXPORT_MARK + value.ciphertext if value else ""

    def get_lookup(self, lookup_name: str) -> Any:
        """Encryption is not deterministic: a column is compared with its own stored value, nothing else."""
        return {"exact": _SameCiphertext, "isnull": IsNull}.get(lookup_name)


class _SameCiphertext(Exact):
    def get_prep_lookup(self) -> str | None:
        if self.rhs is not None and not isinstance(self.rhs, Sealed):
            raise TypeError("An encrypted column is compared with a Sealed value only.")
        return None if self.rhs is None else self.rhs.ciphertext


@dataclass(frozen=True, slots=True)
class Reencrypted:
    """How many stored secrets were written anew, and how many no key could read."""

    rewritten: int
    unreadable: int


def reencrypt() -> Reencrypted:
    """Write every stored secret anew with the first key.

    A secret that a running server replaced meanwhile is left alone: what the server wrote is already new.
    """
    rewritten = unreadable = 0
    for row, name, value in _stored_secrets():
        try:
            anew = value.sealed_anew()
        except VaultLocked:
            unreadable += 1
            continue
        unchanged = type(row)._base_manager.filter(pk=row.pk, **{name: value})
        rewritten += models.QuerySet.update(unchanged, **{name: anew})
    return Reencrypted(rewritten, unreadable)


def _stored_secrets() -> Iterator[tuple[models.Model, str, Sealed]]:
    for model in apps.get_models():
        names = [field.attname for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
        for row in model._base_manager.only("pk", *names).iterator(chunk_size=20) if names else ():
            held: Mapping[str, Sealed | None] = {name: getattr(row, name) for name in names}
            yield from ((row, name, value) for name, value in held.items() if value is not None)


def _fernet() -> MultiFernet:
    keys: list[str] = settings.BRIDGE_ENCRYPTION_KEYS
    if not keys:
        raise VaultLocked("BRIDGE_ENCRYPTION_KEYS is empty; stored tokens can neither be written nor read.")
    return MultiFernet([_derived(key) for key in keys])


def _derived(key: str) -> Fernet:
    material = HKDF(SHA256(), length=32, salt=None, info=b"copilot-bridge vault 1").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(material))
