"""A database as a busy team has it after a year: members, keys, seats, and a ledger with its roll-ups, in bulk SQL.

Everything is decided by the seed. Rows lie as the gateway writes them, ordered by time; the indexes are made after
the rows, and the roll-ups are summed from the rows by the database.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Min, Sum
from django.utils import timezone

from accounts.models import ApiKey, Instance, Member, Role, Seat, Team, UsageDay, UsageRecord
from accounts.secrets import digest, new_secret
from tests.volume.rollups import roll_up

TEAMS = ("Platform", "Web", "Data", "Mobile", "Research")
MODELS = (
    "claude-sonnet-4.5", "claude-opus-4.5", "claude-haiku-4.5", "gpt-5.2", "gpt-5-mini", "gpt-5.2-codex", "gpt-4.1",
    "gemini-3-pro-preview", "grok-code-fast-1", "o4-mini", "gpt-4o", "text-embedding-3-small",
)  # fmt: skip
PROGRAMS = ("claude-code", "codex", "cursor", "cherry-studio", "openai-python", "curl")
CLIENTS = {name: f"{name}/2.{number}.1 (linux; x64)" for number, name in enumerate(PROGRAMS)}
DOORS = {"claude-code": "messages", "codex": "responses"}
OUTCOMES = ("settled", "failed", "cancelled", "refused", "abandoned")
ODDS = (94.9, 2.0, 1.5, 1.5, 0.1)
PRUNED_DAYS = 5
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Size:
    rows: int
    days: int = 400
    members: int = 100
    keys_each: int = 2
    seats: int = 8
    requests_in_session: int = 14


@dataclass(frozen=True, slots=True)
class World:
    """What the pages are asked about: an owner, the busiest member, and some of what that member has."""

    owner: Member
    member: Member
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class _Person:
    member: Member
    keys: tuple[ApiKey, ...]
    seat: Seat
    weight: float


def build(size: Size, seed: int = 7) -> World:
    """Fill the migrated and empty database of Django's default connection."""
    dice = random.Random(seed)
    people = list(_people(size, dice))
    last = timezone.localdate(timezone=timezone.get_default_timezone())
    first = last - timedelta(days=size.days - 1)
    instance = Instance.objects.create(id=_uuid(dice, 0.0), host="volume", pid=1)
    with connection.cursor() as cursor:
        indexes = _without_indexes(cursor)
        rows = _rows(size, dice, people, first, instance.pk.hex)
        while chunk := list(itertools.islice(rows, CHUNK)):
            cursor.executemany(_INSERT, chunk)
        for index in indexes:
            cursor.execute(index)
        roll_up(cursor, pruned_before=(first + timedelta(days=PRUNED_DAYS)).isoformat() if size.days > 100 else "")
    Member.objects.create_user("olga", role=Role.OWNER)
    return found()


def found() -> World:
    """Return what `build` left in a database."""
    busiest = (
        UsageDay.objects.values("member").annotate(total=Sum("opened")).order_by("-total").values_list("member")[:1]
    )
    days = UsageDay.objects.aggregate(first=Min("day"), last=Max("day"))
    owner, member = Member.objects.get(username="olga"), Member.objects.select_related("team").get(pk__in=busiest)
    return World(owner, member, days["first"], days["last"])


def _people(size: Size, dice: random.Random) -> Iterator[_Person]:
    teams = [Team.objects.create(name=name) for name in TEAMS]
    seats = [
        Seat.objects.create(login=f"octo-{number}", github_id=number + 1, github_token=f"ghu_{number}", serves="team")
        for number in range(size.seats)
    ]
    for number in range(size.members):
        member = Member.objects.create(username=f"member-{number:03}", password="!", team=teams[number % len(teams)])
        keys = []
        for name in ("laptop", "build server", "notebook")[: size.keys_each]:
            text = new_secret()
            keys.append(ApiKey.objects.create(member=member, name=name, digest=digest(text), hint=text[:12]))
        yield _Person(member, tuple(keys), seats[number % size.seats], dice.paretovariate(1.3))


def _rows(
    size: Size, dice: random.Random, people: list[_Person], first: date, instance: str
) -> Iterator[tuple[Any, ...]]:
    """Yield the ledger's rows day by day, each day's by time; the last day ends with a few that are open."""
    weights = [min(person.weight, 20.0) for person in people]
    left, number = size.rows, 0
    for offset in range(size.days):
        day = first + timedelta(days=offset)
        wanted = left // (size.days - offset)
        left -= wanted
        lines: list[tuple[float, tuple[Any, ...]]] = []
        while len(lines) < wanted:
            number += 1
            person = dice.choices(people, weights)[0]
            lines.extend(_session(dice, person, day, number, min(size.requests_in_session * 2, wanted - len(lines))))
        lines.sort(key=lambda line: line[0])
        is_last = offset == size.days - 1
        for position, (at, line) in enumerate(lines):
            outcome = "open" if is_last and position >= len(lines) - 20 else dice.choices(OUTCOMES, ODDS)[0]
            yield _row(dice, at, day, instance, line, outcome)


def _session(
    dice: random.Random, person: _Person, day: date, number: int, most: int
) -> Iterator[tuple[float, tuple[Any, ...]]]:
    """Yield one conversation: a person's turns with tool rounds between them, mostly on one model."""
    key, program = dice.choice(person.keys), dice.choice(PROGRAMS)
    main, small = dice.sample(MODELS, 2)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + dice.random() * 80_000
    session = f"{dice.getrandbits(128):032x}" if dice.random() < 0.9 else ""
    for step in range(min(most, dice.randint(1, most) if most > 1 else 1)):
        at = min(at + dice.random() * 40, at + 1)
        model = small if dice.random() < 0.15 else main
        initiator = "user" if step % 5 == 0 else "agent"
        yield at, (person, key, program, model, session, initiator)


def _row(
    dice: random.Random, at: float, day: date, instance: str, line: tuple[Any, ...], outcome: str
) -> tuple[Any, ...]:
    person, key, program, model, session, initiator = line
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    ended = outcome not in {"open"}
    used = outcome in {"settled", "cancelled"}
    cached, plain, output = dice.randint(0, 90_000), dice.randint(50, 9_000), dice.randint(5, 2_500)
    nano = (plain * 3 + cached // 3 + output * 15) * 100_000
    reported = nano if outcome == "settled" and dice.random() < 0.97 else None
    member = person.member
    values = {
        "id": _uuid(dice, at).hex, "instance": instance, "opened_at": moment, "settled_at": moment if ended else None,
        "day": day.isoformat(), "status": outcome, "member_id": member.pk, "key_id": key.pk,
        "team_id": member.team_id, "seat_id": None if outcome == "refused" else person.seat.pk,
        "member_name": member.username, "key_name": key.name, "team_name": member.team.name,
        "seat_name": person.seat.login, "door": DOORS.get(program, "chat"), "client": CLIENTS[program],
        "ip": "10.1.2.3", "requested_model": model, "served_model": model, "route": "passed through: no route matches",
        "upstream_format": DOORS.get(program, "chat"), "streamed": dice.random() < 0.8, "initiator": initiator,
        "session": session, "program": program, "http_status": 200 if used else 500 if ended else None,
        "error_code": "" if used or not ended else "upstream_error", "stop_reason": "end_turn" if used else "",
        "input_tokens": plain if used else 0, "cached_tokens": cached if used else 0,
        "output_tokens": output if used else 0, "reasoning_tokens": output // 4 if used else 0,
        "nano_reported": reported if used else None, "nano_computed": nano if used else None,
        "cost_source": "" if not used else "computed" if reported is None else "reported",
        "premium_thousandths": 1000 if used and dice.random() < 0.05 else None,
        "first_byte_ms": dice.randint(300, 4000) if used else None,
        "total_ms": dice.randint(900, 60_000) if ended and outcome != "abandoned" else None, "attempts": 1,
        "upstream_id": f"{dice.getrandbits(64):016x}", "tag": "sprint-9" if dice.random() < 0.01 else "",
    }  # fmt: skip
    return tuple(values.get(name, default) for name, default in _DEFAULTS)


def _uuid(dice: random.Random, at: float) -> Any:
    return UsageRecord._meta.pk.to_python(f"{int(at * 1000):012x}7{dice.getrandbits(76):019x}")


def _default_of(field: Any) -> Any:
    return (
        None
        if field.null
        else field.get_default()
        if field.has_default()
        else 0
        if "Integer" in field.get_internal_type()
        else ""
    )


_DEFAULTS = [(str(field.column), _default_of(field)) for field in UsageRecord._meta.concrete_fields]
_INSERT = (
    f'INSERT INTO "{UsageRecord._meta.db_table}" ({", ".join(f"{name}" for name, _default in _DEFAULTS)})'
    f" VALUES ({', '.join(['%s'] * len(_DEFAULTS))})"
)


def _without_indexes(cursor: Any) -> list[str]:
    """Drop the ledger's indexes and return the statements that make them again."""
    table = UsageRecord._meta.db_table
    cursor.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql NOT NULL", [table]
    )
    found = cursor.fetchall()
    for name, _sql in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [sql for _name, sql in found]
