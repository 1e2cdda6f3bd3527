"""What reports are made by, over which stretches of time, and how both are said in SQL."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import DateField, Func, TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.days import end_of

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler


class Dimension(TextChoices):
    ALL = "all", _("everything together")
    MEMBER = "member", _("member")
    TEAM = "team", _("team")
    KEY = "key", _("API key")
    MODEL = "model", _("model")
    SEAT = "seat", _("seat")
    PROGRAM = "program", _("client program")
    SESSION = "session", _("conversation")


class Per(TextChoices):
    """Weeks begin on Monday; days are those of the installation's time zone."""

    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")
    RANGE = "range", _("whole range")


RELATED = frozenset({Dimension.MEMBER, Dimension.TEAM, Dimension.KEY, Dimension.SEAT})
# What the roll-up of conversations knows of them.
OF_SESSIONS = frozenset({Dimension.MEMBER, Dimension.TEAM, Dimension.KEY, Dimension.PROGRAM, Dimension.SESSION})
OF_DAYS = frozenset(Dimension) - {Dimension.ALL, Dimension.SESSION}


class StartOf(Func):
    """The first day of the week or month of a date, computed by the database without calling back into Python."""

    output_field = DateField()
    _SQLITE = {
        Per.WEEK: "date(%(expressions)s, 'weekday 0', '-6 days')",
        Per.MONTH: "(substr(%(expressions)s, 1, 7) || '-01')",
    }

    def __init__(self, per: Per, column: str) -> None:
        super().__init__(column)
        self.per = per

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        template = f"DATE_TRUNC('{self.per.value}', %(expressions)s)::date"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=self._SQLITE[self.per], **context)


def last_of(per: Per, first: date) -> date:
    """Return the last day of the period that begins on `first`."""
    return end_of(per, first) - timedelta(days=1)
