"""Fill the roll-ups from the rows that an earlier release wrote, and name the client programs of those rows."""

from django.db import migrations
from django.db.models import Case, Count, F, Max, Min, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.programs import program_of

_ENDED = ("settled", "refused", "failed", "cancelled", "abandoned")
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_BATCH = 1000


def name_programs(apps, schema_editor):
    rows = apps.get_model("accounts", "UsageRecord").objects
    for client in rows.exclude(client="").order_by().values_list("client", flat=True).distinct():
        program = program_of(client)
        if program:
            rows.filter(client=client).update(program=program)


def fill(apps, schema_editor):
    record, usage_day, usage_session = (
        apps.get_model("accounts", name) for name in ("UsageRecord", "UsageDay", "UsageSession")
    )
    rows = record.objects.order_by()
    days = ("day", "member_id", "key_id", "team_id", "seat_id", "program", "served_model")
    usage_day.objects.bulk_create(
        (_day(usage_day, group) for group in rows.values(*days).annotate(**_sums()).iterator(_BATCH)),
        batch_size=_BATCH,
    )
    talks = ("session", "key_id", "member_id", "team_id", "program")
    talked = rows.exclude(session="").exclude(key=None).values(*talks)
    merged = {}
    for group in talked.annotate(first=Min("day"), last=Max("day"), **_sums()).iterator(_BATCH):
        _merge(merged, group)
    usage_session.objects.bulk_create((_session(usage_session, group) for group in merged.values()), batch_size=_BATCH)


def _sums():
    ended = ~Q(status="open")
    cost = Coalesce("nano_reported", "nano_computed", 0)
    stand_in = Case(When(nano_reported__isnull=True, then=Coalesce("nano_computed", 0)), default=Value(0))
    return {
        "sum_opened": Count("id"),
        **{f"sum_{status}": Count("id", filter=Q(status=status)) for status in _ENDED},
        **{f"sum_{name}": Coalesce(Sum(F(name), filter=ended), 0) for name in _TOKENS},
        "sum_nano": Coalesce(Sum(cost, filter=ended), 0),
        "sum_nano_stand_in": Coalesce(Sum(stand_in, filter=ended), 0),
        "sum_premium_thousandths": Coalesce(Sum("premium_thousandths", filter=ended), 0),
        "sum_total_ms": Coalesce(Sum("total_ms", filter=ended), 0),
    }


def _day(model, group):
    names = [str(group[name] or "") for name in ("member_id", "key_id", "team_id", "seat_id")]
    served = group["served_model"][:200]
    return model(
        slot="|".join([str(group["day"]), *names, group["program"], served]),
        model=served,
        **{name: group[name] for name in ("day", "member_id", "key_id", "team_id", "seat_id", "program")},
        **_added(group, ()),
    )


def _merge(merged, group):
    """One conversation of a key is one row, whatever team or program it was carried on with."""
    slot = f"{group['key_id']}|{group['session'][:120]}"
    known = merged.get(slot)
    if known is None:
        merged[slot] = {**group, "slot": slot}
        return
    known["first"], known["last"] = min(known["first"], group["first"]), max(known["last"], group["last"])
    for name in group:
        if name.startswith("sum_"):
            known[name] += group[name]


def _session(model, group):
    return model(
        slot=group["slot"],
        session=group["session"][:120],
        first_day=group["first"],
        last_day=group["last"],
        **{name: group[name] for name in ("member_id", "key_id", "team_id", "program")},
        **_added(group, ("total_ms",)),
    )


def _added(group, left_out):
    return {
        name.removeprefix("sum_"): value
        for name, value in group.items()
        if name.startswith("sum_") and name.removeprefix("sum_") not in left_out
    }


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_money")]

    operations = [
        migrations.RunPython(name_programs, migrations.RunPython.noop),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
