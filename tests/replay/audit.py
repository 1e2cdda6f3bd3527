"""The proof: what clients, ledger and upstream say of the same requests, held against each other one by one.

    1  a request whose answer reached its end at the client is one settled row
    2  a settled row costs what the upstream charged for that very answer, to the unit, and Σ of both are equal
    3  no row without a request, no request id without its row, no upstream call without a row
    4  every counter equals the sum of its rows; nothing stays open
    5  an abandoned row belongs to a process that was killed, and so does a lost connection
    6  a hard budget is overspent by no more than Σ (actual - reserved) of the requests in flight
    7  nothing was charged that is not in one of the lists: settled, or named with what it lost

What breaks one of these is a `Violation`. What ended otherwise is no violation but is `Named`: what the client saw,
what the row says, what was charged, and the difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.replay.asks import BUDGETED_NANO, Ask, Kind, number_in_program
from tests.replay.cast import BUDGETED, HURRIED
from tests.replay.evidence import Call, Ended, Evidence, Row, Seen

NANO_PER_CREDIT = 1_000_000_000
# A settlement is counted some moments after its time stamp was taken; rows that ended so shortly before the last
# admission may have been held as reserved in it.
_MARGIN_SECONDS = 5.0
_CROSSINGS = 9
_ENOUGH_FOR_ALL_CROSSINGS = 500
_ENDINGS = {
    Ended.COMPLETE: {"settled"},
    Ended.REFUSED: {"refused", "failed"},
    Ended.BROKEN: {"failed"},
    Ended.LEFT: {"cancelled", "settled", "refused", "failed", "abandoned"},
    Ended.LOST: {"abandoned", "cancelled", "settled", "refused", "failed"},
}


@dataclass(frozen=True, slots=True)
class Violation:
    law: str
    what: str

    def __str__(self) -> str:
        return f"{self.law}: {self.what}"


@dataclass(frozen=True, slots=True)
class Named:
    """A request that did not simply end well. `row` is empty where the process died before there was one."""

    number: int
    request_id: str
    kind: str
    door: str
    model: str
    seen: str
    row: str
    cost_source: str
    nano: int
    charged: int
    note: str = ""

    @property
    def loss(self) -> int:
        """What was charged beyond what the ledger counted; negative where the ledger counted more."""
        return self.charged - self.nano


@dataclass(slots=True)
class Verdict:
    """`settled` and `charged` are the two sums that must be equal, `matched` how many pairs they are made of."""

    violations: list[Violation] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    matched: int = 0
    settled: int = 0
    charged: int = 0
    complete: int = 0
    all_charged: int = 0
    crossings: dict[tuple[str, str], int] = field(default_factory=dict)
    overshoot: int = 0
    overshoot_bound: int = 0

    @property
    def lost(self) -> int:
        """What the named requests were charged beyond what the ledger counted, where it was more."""
        return sum(max(0, named.loss) for named in self.named)

    @property
    def overcounted(self) -> int:
        return sum(max(0, -named.loss) for named in self.named)

    def breach(self, law: str, what: str) -> None:
        self.violations.append(Violation(law, what))


def audit(evidence: Evidence) -> Verdict:
    return _Audit(evidence).run()


class _Audit:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._verdict = Verdict()
        self._rows: dict[int, Row] = {}
        self._calls: dict[int, list[Call]] = defaultdict(list)
        self._killed = {instance for instance, pid in evidence.instances.items() if pid in evidence.killed}

    def run(self) -> Verdict:
        self._index_rows()
        self._index_calls()
        for ask in self._evidence.asks:
            self._look_at(ask)
        self._look_at_sums()
        self._look_at_budget()
        self._look_at_coverage()
        for fault in self._evidence.log_faults:
            self._verdict.breach("log", fault)
        return self._verdict

    def _index_rows(self) -> None:
        asked = {ask.number for ask in self._evidence.asks}
        for row in self._evidence.rows:
            number = number_in_program(row.client)
            if number is None or number not in asked:
                self._verdict.breach("row without a request", f"{row.id} of {row.client!r}")
            elif number in self._rows:
                self._verdict.breach("two rows", f"request {number}: {self._rows[number].id} and {row.id}")
            else:
                self._rows[number] = row
            if row.status == "open":
                self._verdict.breach("open row", f"{row.id} of request {number}")
            if row.status == "abandoned" and row.instance not in self._killed:
                self._verdict.breach("abandoned by the living", f"{row.id} of instance {row.instance}")

    def _index_calls(self) -> None:
        for call in self._evidence.calls:
            self._verdict.all_charged += call.nano
            if call.ask is None:
                self._verdict.breach("call without a request", f"upstream request {call.number} at {call.path}")
                continue
            self._calls[call.ask].append(call)
            if call.outcome == "open":
                self._verdict.breach("call that never ended", f"upstream request {call.number}")
        billed: defaultdict[str, int] = defaultdict(int)
        for call in self._evidence.calls:
            billed[call.login] += call.nano
        for login, nano in self._evidence.accounts.items():
            if billed[login] != nano:
                self._verdict.breach("account", f"{login} was billed {nano}, its charges come to {billed[login]}")

    def _look_at(self, ask: Ask) -> None:
        seen = self._evidence.seen.get(ask.number)
        row = self._rows.get(ask.number)
        if seen is None:
            self._verdict.breach("request never asked", str(ask.number))
            return
        self._look_at_client(ask, seen)
        if row is None:
            self._look_at_missing(ask, seen)
            return
        if seen.request_id and seen.request_id.replace("-", "") != row.id.replace("-", ""):
            self._breach(ask, "request id", f"the client was told {seen.request_id}, the row is {row.id}")
        if row.status not in _ENDINGS.get(seen.ended, set()) and not (row.status == "abandoned" and seen.was_killed):
            self._breach(ask, "ending", f"the client saw {seen.ended}, the row is {row.status}")
        if seen.ended is Ended.REFUSED and row.http_status != seen.status:
            self._breach(ask, "status", f"the client saw {seen.status}, the row says {row.http_status}")
        self._look_at_money(ask, seen, row)

    def _look_at_client(self, ask: Ask, seen: Seen) -> None:
        if seen.ended is Ended.COMPLETE:
            self._verdict.complete += 1
        if seen.ended is Ended.SILENT or (seen.ended is Ended.LOST and not seen.was_killed):
            self._breach(ask, "answer without an end", f"{seen.ended}, status {seen.status}")
        if seen.status is not None and not seen.request_id:
            self._breach(ask, "no request id", f"status {seen.status}")
        is_limited = ask.key in (HURRIED.name, BUDGETED.name)
        if ask.kind.is_answered and not is_limited and seen.ended is not Ended.COMPLETE and not seen.was_killed:
            self._breach(ask, "not answered", f"{ask.kind} {ask.model}: {seen.ended} {seen.status} {seen.code}")

    def _look_at_missing(self, ask: Ask, seen: Seen) -> None:
        calls = self._calls[ask.number]
        if calls:
            self._breach(ask, "call without a row", f"upstream request {calls[0].number}, the client saw {seen.ended}")
        elif seen.request_id:
            self._breach(ask, "request id without a row", f"{seen.request_id}, {seen.status} {seen.code}")
        elif seen.ended is Ended.LOST or seen.ended is Ended.LEFT:
            self._name(ask, seen, None, [], "it never reached the door" if not seen.was_killed else "died unopened")
        else:
            self._breach(ask, "no row", f"the client saw {seen.ended} {seen.status}")

    def _look_at_money(self, ask: Ask, seen: Seen, row: Row) -> None:
        calls = self._calls[ask.number]
        charged = [call for call in calls if call.is_charged]
        own = [call for call in calls if call.upstream_id == row.upstream_id]
        if row.upstream_id and len(own) != 1:
            self._breach(ask, "upstream id", f"{row.upstream_id} is {len(own)} of the request's {len(calls)} calls")
        if row.status == "refused" and charged:
            self._breach(ask, "refused and charged", f"upstream request {charged[0].number}")
        if row.status != "settled":
            self._name(ask, seen, row, charged)
            return
        mine = [call for call in charged if call.is_whole] if ask.kind is Kind.EMBEDDED else own
        others = [call for call in charged if call not in mine]
        self._match(ask, seen, row, mine)
        if seen.ended is not Ended.COMPLETE or others:
            note = "settled; the client was gone" if not others else "settled; a try before it was charged, too"
            self._name(ask, seen, row, charged, note)

    def _match(self, ask: Ask, seen: Seen, row: Row, mine: Sequence[Call]) -> None:
        nano = sum(call.nano for call in mine)
        premium = sum(call.premium_thousandths for call in mine)
        if not mine or not all(call.is_whole for call in mine):
            self._breach(ask, "settled without a whole charge", f"{len(mine)} calls, upstream id {row.upstream_id}")
        if (row.nano_reported or 0) != nano:
            self._breach(ask, "money", f"the row says {row.nano_reported}, the upstream charged {nano}")
        if premium and row.premium_thousandths != premium:
            self._breach(ask, "premium", f"the row says {row.premium_thousandths}, the upstream charged {premium}")
        if seen.cost and seen.ended is Ended.COMPLETE and _nano_of(seen.cost) != row.nano:
            self._breach(ask, "x-bridge-cost", f"the client was told {seen.cost}, the row says {row.nano}")
        self._verdict.matched += 1
        self._verdict.settled += row.nano_reported or 0
        self._verdict.charged += nano
        crossing = (row.door, row.upstream_format)
        self._verdict.crossings[crossing] = self._verdict.crossings.get(crossing, 0) + 1

    def _name(self, ask: Ask, seen: Seen, row: Row | None, charged: Sequence[Call], note: str = "") -> None:
        said = " ".join(part for part in (seen.ended.value, str(seen.status or ""), seen.code) if part)
        self._verdict.named.append(
            Named(
                number=ask.number,
                request_id=seen.request_id or (row.id if row is not None else ""),
                kind=ask.kind.value,
                door=ask.door,
                model=ask.model,
                seen=said,
                row="" if row is None else " ".join(filter(None, (row.status, row.error_code))),
                cost_source="" if row is None else row.cost_source,
                nano=0 if row is None else row.nano,
                charged=sum(call.nano for call in charged),
                note=note,
            )
        )

    def _look_at_sums(self) -> None:
        verdict, evidence = self._verdict, self._evidence
        if verdict.settled != verdict.charged:
            verdict.breach("sum", f"settled {verdict.settled}, charged {verdict.charged}")
        for what, counted, rows in evidence.sums:
            if counted != rows:
                verdict.breach("counter", f"{what}: the roll-up says {counted}, its rows come to {rows}")
        for period in evidence.periods:
            if (period.settled, period.reserved) != (period.rows_settled, period.rows_reserved):
                verdict.breach("budget period", str(period))
        if evidence.proof is not None:
            verdict.breach("manage.py prove", evidence.proof)

    def _look_at_budget(self) -> None:
        rows = [row for row in self._evidence.rows if row.key == BUDGETED.name]
        admitted = [row for row in rows if row.upstream_id or row.status != "refused"]
        if not admitted:
            self._verdict.breach("budget", "no request of the budgeted key was let in")
            return
        last = max(row.opened_at for row in admitted)
        in_flight = [row for row in admitted if row.settled_at is None or row.settled_at >= last - _MARGIN_SECONDS]
        verdict = self._verdict
        verdict.overshoot = sum(row.nano for row in admitted) - self._evidence.budgeted_limit
        verdict.overshoot_bound = sum(max(0, row.nano - row.reserved_nano) for row in in_flight)
        if verdict.overshoot > verdict.overshoot_bound:
            verdict.breach("hard budget", f"overspent by {verdict.overshoot}, at most {verdict.overshoot_bound} may be")
        self._look_at_refusals()

    def _look_at_refusals(self) -> None:
        asks = [ask for ask in self._evidence.asks if ask.key == BUDGETED.name]
        told = [(ask, self._evidence.seen[ask.number]) for ask in asks if ask.number in self._evidence.seen]
        refusals = [(ask, seen) for ask, seen in told if seen.ended is Ended.REFUSED]
        wanted = sum(not seen.was_killed for _ask, seen in told) * BUDGETED_NANO
        if not refusals and wanted > 2 * self._evidence.budgeted_limit:
            self._verdict.breach("hard budget", f"none of {len(told)} requests was refused")
        for ask, seen in refusals:
            due = (402, "billing_error") if ask.door == "messages" else (429, "insufficient_quota")
            if (seen.status, seen.code) != due or seen.may_retry != "false":
                said = f"{seen.status} {seen.code}, x-should-retry {seen.may_retry!r}"
                self._breach(ask, "budget's refusal", f"{said}; due is {due[0]} {due[1]}, 'false'")

    def _look_at_coverage(self) -> None:
        """A replay in which nothing happened proves nothing."""
        texts = {crossing for crossing in self._verdict.crossings if crossing[0] != "embeddings"}
        if len(self._evidence.asks) >= _ENOUGH_FOR_ALL_CROSSINGS and len(texts) != _CROSSINGS:
            self._verdict.breach("coverage", f"only the crossings {sorted(texts)} were settled")
        if len(self._evidence.killed) != self._evidence.kills_due:
            self._verdict.breach("coverage", f"killed {len(self._evidence.killed)} of {self._evidence.kills_due} times")
        for missing in self._unproven_tries():
            self._verdict.breach("coverage", missing)

    def _unproven_tries(self) -> Iterator[str]:
        for ask in self._evidence.asks:
            row = self._rows.get(ask.number)
            is_settled = row is not None and row.status == "settled"
            if is_settled and row is not None and ask.kind in (Kind.RETRIED, Kind.REPAIRED) and row.attempts < 2:
                yield f"request {ask.number} ({ask.kind}) was settled by its first try"

    def _breach(self, ask: Ask, law: str, what: str) -> None:
        self._verdict.breach(law, f"request {ask.number}: {what}")


def _nano_of(told: str) -> int:
    whole, _, part = told.partition(".")
    return int(whole) * NANO_PER_CREDIT + int(part.ljust(9, "0")[:9])
