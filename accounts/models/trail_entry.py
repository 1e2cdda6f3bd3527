"""The trail: every administrative act and key event, append-only, each entry sealed with the hash of the one before.

The head row is the place where writers queue: the next number and the last hash are read under its lock, which a
transaction holds until it ends. So there is one writer at a time, and no gap and no fork. Whoever is about to change
rows that the trail tells of takes the lock before them, so that two such transactions never wait for each other.
`accounts/trail.py` verifies the chain.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.actor import current_actor
from accounts.trail_hash import GENESIS, Content, canonical, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ONLY_ROW = 1
_BATCH = 200
_NAME_LIMIT = 300
_REASON_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Act:
    """What an entry tells: of what, what became of it and why. `changes` is JSON by column."""

    action: str
    subject_type: str = ""
    subject_id: str = ""
    subject_name: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


class TrailQuerySet(models.QuerySet["TrailEntry"]):
    """Rows are added by `append` and by nothing else."""

    def append(self, acts: Sequence[Act]) -> list[TrailEntry]:
        """Write one entry for each act, in the caller's transaction, and return them."""
        if not acts:
            return []
        with transaction.atomic():
            return self._write(TrailHead.lock(), acts)

    def _write(self, head: TrailHead, acts: Sequence[Act]) -> list[TrailEntry]:
        entries = []
        for act in acts:
            entries.append(_sealed(head, act))
            head.number, head.hash = entries[-1].number, entries[-1].hash
        super().bulk_create(entries, batch_size=_BATCH)
        head.save()
        return entries

    def update(self, **_values: Any) -> NoReturn:
        raise _unchangeable()

    def bulk_update(self, *_args: Any, **_options: Any) -> NoReturn:
        raise _unchangeable()

    def delete(self) -> NoReturn:
        raise _unchangeable()

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise _unchangeable()

    def bulk_create(self, *_args: Any, **_options: Any) -> NoReturn:
        raise _unchangeable()


class TrailEntry(models.Model):
    """`detail` is JSON text exactly as it was hashed: what changed, each column with its old and its new value."""

    number = models.BigIntegerField(_("number"), primary_key=True, editable=False)
    at = models.DateTimeField(_("at"), editable=False)
    actor = models.ForeignKey(
        "accounts.Member",
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    actor_name = models.CharField(_("by"), max_length=150, editable=False)
    action = models.CharField(_("act"), max_length=60, editable=False)
    subject_type = models.CharField(_("kind"), max_length=60, editable=False)
    subject_id = models.CharField(_("id"), max_length=64, editable=False)
    subject_name = models.TextField(_("what"), editable=False)
    detail = models.TextField(_("detail"), editable=False)
    reason = models.TextField(_("reason"), blank=True, editable=False)
    previous_hash = models.CharField(_("hash before"), max_length=64, editable=False)
    hash = models.CharField(_("hash"), max_length=64, editable=False)

    objects = models.Manager.from_queryset(TrailQuerySet)()

    class Meta:
        verbose_name = _("trail entry")
        verbose_name_plural = _("trail entries")
        ordering = ["-number"]
        base_manager_name = "objects"
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="trail_by_subject"),
            models.Index(fields=["at"], name="trail_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.action} {self.subject_name}".rstrip()

    def save(self, *args: Any, **options: Any) -> NoReturn:
        raise _unchangeable()

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise _unchangeable()


class TrailHead(models.Model):
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=_ONLY_ROW), name="trail_has_one_head")]

    def __str__(self) -> str:
        return f"#{self.number}"

    @classmethod
    def lock(cls) -> TrailHead:
        """Return the head, which is this transaction's alone until its end.

        On SQLite every transaction is alone from its beginning.
        """
        row = cls.objects.select_for_update().filter(pk=_ONLY_ROW)
        return row.first() or cls._made() or row.get()

    @classmethod
    def _made(cls) -> TrailHead | None:
        """Make the head that is missing; None when another process just did.

        Where entries have lost their head, the chain goes on from the last of them and says so.
        """
        try:
            with transaction.atomic():
                head = cls.objects.create(pk=_ONLY_ROW)
        except IntegrityError:
            return None
        last = TrailEntry.objects.order_by("-number").first()
        if last is not None:
            head.number, head.hash = last.number, last.hash
            told = {"number": last.number, "hash": last.hash}
            TrailEntry.objects.all()._write(head, [Act("trail.head_restored", changes=told)])
        return head


def tell(
    action: str, subject: models.Model | None = None, changes: Mapping[str, Any] | None = None, reason: str = ""
) -> TrailEntry:
    """Append one act, in the caller's transaction; `changes` is JSON by column and holds no secret."""
    told = changes or {}
    if subject is None:
        act = Act(action, changes=told, reason=reason)
    else:
        act = Act(action, str(subject._meta.model_name), str(subject.pk), str(subject), told, reason)
    return TrailEntry.objects.append([act])[0]


def _sealed(head: TrailHead, act: Act) -> TrailEntry:
    actor = current_actor()
    content = Content(
        number=head.number + 1,
        at=timezone.now(),
        actor_id=actor.member,
        actor_name=plain(actor.name, 150),
        action=plain(act.action, 60),
        subject_type=plain(act.subject_type, 60),
        subject_id=plain(act.subject_id, 64),
        subject_name=plain(act.subject_name, _NAME_LIMIT),
        detail=canonical(act.changes),
        reason=plain(act.reason, _REASON_LIMIT),
        previous_hash=head.hash,
    )
    return TrailEntry(**asdict(content), hash=content.hash)


def _unchangeable() -> TypeError:
    return TypeError(_now("The trail is only ever added to."))
