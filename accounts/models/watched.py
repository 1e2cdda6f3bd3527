"""Rows whose every change is announced to the running processes and told by the trail; rows that are never deleted.

`save`, `delete`, `update` and `bulk_create` do their work, append to the trail and step the epoch, all in one
transaction. `quiet_update`, and a `save` that names only quiet fields, write what no process needs to hear of and no
auditor asks for: tokens, quota, last use.

The trail's head is locked before the rows are read and changed: of two changes at once the second sees what the first
made of the row, so that old and new values form a chain.

Kept rows are deactivated instead of deleted: the usage ledger points at them, and a request under way may
still be about to write such a pointer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from django.db import models, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from accounts.models.epoch import Epoch
from accounts.models.trail_entry import TrailHead
from accounts.models.witness import Witness, tell_bulk, tell_links

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Row = TypeVar("Row", bound=models.Model)


class WatchedQuerySet(models.QuerySet[Row]):
    def update(self, **values: Any) -> int:
        with transaction.atomic():
            TrailHead.lock()
            witness = self._witness(values)
            witness.look(self._keys())
            changed = super().update(**values)
            witness.tell()
            if changed:
                Epoch.bump()
        return changed

    def quiet_update(self, **values: Any) -> int:
        """Like `update`, unheard by the running processes and untold by the trail."""
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            TrailHead.lock()
            witness = self._witness()
            witness.look(self._keys())
            deleted = super().delete()
            witness.tell(gone=True)
            if deleted[0]:
                Epoch.bump()
        return deleted

    def bulk_create(self, objs: Iterable[Row], *args: Any, **options: Any) -> list[Row]:
        with transaction.atomic():
            TrailHead.lock()
            created = super().bulk_create(objs, *args, **options)
            if created and all(row.pk is not None for row in created) and not _may_conflict(args, options):
                self._witness().tell([row.pk for row in created])
            elif created:
                tell_bulk(self.model, created)
            if created:
                Epoch.bump()
        return created

    def select_for_update(self, *args: Any, **options: Any) -> Self:
        """As every change does, lock the trail's head before the rows; to be called within the transaction."""
        TrailHead.lock()
        return super().select_for_update(*args, **options)

    def _witness(self, names: Collection[str] | None = None) -> Witness:
        return Witness.of(self.model, getattr(self.model, "quiet_fields", frozenset()), names)

    def _keys(self) -> list[Any]:
        return list(self.order_by().values_list("pk", flat=True))


class KeptQuerySet(WatchedQuerySet[Row]):
    def delete(self) -> NoReturn:
        raise _not_deletable(set(self))


class Watched(models.Model):
    quiet_fields: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        names = None if update_fields is None else frozenset(update_fields)
        if not self._is_heard(names):
            super().save(*args, update_fields=names, **options)
            return
        with transaction.atomic():
            TrailHead.lock()
            witness = Witness.of(type(self), self.quiet_fields, names)
            witness.look([] if self.pk is None else [self.pk])
            super().save(*args, update_fields=names, **options)
            witness.tell([self.pk])
            Epoch.bump()

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            TrailHead.lock()
            witness = Witness.of(type(self), self.quiet_fields)
            witness.look([self.pk])
            deleted = super().delete(*args, **options)
            witness.tell(gone=True)
            Epoch.bump()
        return deleted

    def _is_heard(self, names: frozenset[str] | None) -> bool:
        return names is None or not names <= self.quiet_fields


class Kept(Watched):
    class Meta:
        abstract = True

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise _not_deletable({self})


def announce_links(
    field: str, action: str, instance: models.Model, reverse: bool, model: type[models.Model], pk_set: set[Any] | None
) -> None:
    """Tell and announce a change of a many-to-many column; takes what the signal `m2m_changed` says.

    `field` is the column's name on the row that owns it; `reverse` says that the change came from the other side.
    """
    if action in {"pre_add", "pre_remove"}:
        TrailHead.lock()
        return
    if action == "pre_clear":
        TrailHead.lock()
        linked = model._base_manager.filter(**{field: instance}) if reverse else getattr(instance, field)
        pk_set = set(linked.values_list("pk", flat=True))
    verb = {"post_add": "added", "post_remove": "removed", "pre_clear": "removed"}.get(action)
    if verb is not None and pk_set:
        others = model._base_manager.filter(pk__in=pk_set)
        if reverse:
            tell_links(field, others, verb, [str(instance)])
        else:
            owner = type(instance)._base_manager.filter(pk=instance.pk)
            tell_links(field, owner, verb, sorted(str(row) for row in others))
    if action.startswith("post_"):
        Epoch.bump()


def _may_conflict(args: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether a bulk write was told to go on over rows that are there already."""
    return len(args) > 1 or bool(options.get("ignore_conflicts") or options.get("update_conflicts"))


def _not_deletable(rows: Collection[models.Model]) -> ProtectedError:
    names = ", ".join(sorted(str(row) for row in rows))
    return ProtectedError(
        _("%(names)s cannot be deleted because the usage ledger names it; deactivate it instead.") % {"names": names},
        set(rows),
    )
