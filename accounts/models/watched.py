"""Rows whose every change is announced to the running processes, and rows that are never deleted.

`save`, `delete`, `update` and `bulk_create` do their work and step the epoch in one transaction.
`quiet_update`, and a `save` that names only quiet fields, write what no process needs to hear of: tokens,
quota, last use.

Kept rows are deactivated instead of deleted: the usage ledger points at them, and a request under way may
still be about to write such a pointer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from django.db import models, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.models.epoch import Epoch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Row = TypeVar("Row", bound=models.Model)


class WatchedQuerySet(models.QuerySet[Row]):
    def update(self, **values: Any) -> int:
        with transaction.atomic():
            changed = super().update(**values)
            if changed:
                Epoch.bump()
        return changed

    def quiet_update(self, **values: Any) -> int:
        """Like `update`, unheard by the running processes."""
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            deleted = super().delete()
            if deleted[0]:
                Epoch.bump()
        return deleted

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        with transaction.atomic():
            created = super().bulk_create(objs, *args, **options)
            if created:
                Epoch.bump()
        return created


class KeptQuerySet(WatchedQuerySet[Row]):
    def delete(self) -> NoReturn:
        raise _not_deletable(set(self))


class Watched(models.Model):
    quiet_fields: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        names = None if update_fields is None else frozenset(update_fields)
        with transaction.atomic():
            super().save(*args, update_fields=names, **options)
            if self._is_heard(names):
                Epoch.bump()

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            deleted = super().delete(*args, **options)
            Epoch.bump()
        return deleted

    def _is_heard(self, names: frozenset[str] | None) -> bool:
        return names is None or not names <= self.quiet_fields


class Kept(Watched):
    class Meta:
        abstract = True

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_deletable({self})


def _not_deletable(rows: Collection[models.Model]) -> ProtectedError:
    names = ", ".join(sorted(str(row) for row in rows))
    return ProtectedError(
        _("%(names)s cannot be deleted because the usage ledger names it; deactivate it instead.") % {"names": names},
        set(rows),
    )
