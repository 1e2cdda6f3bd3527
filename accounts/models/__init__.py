"""What the gateway remembers, one file per thing."""

from __future__ import annotations

from accounts.models import sign_in_trail
from accounts.models.api_key import ApiKey
from accounts.models.budget import Budget, BudgetPeriod, BudgetScope, BudgetSpan, BudgetWarning
from accounts.models.catalogue_copy import CatalogueCopy
from accounts.models.correction import Correction
from accounts.models.device_login import DeviceLogin, LoginFault, LoginState
from accounts.models.epoch import Epoch
from accounts.models.instance import Instance
from accounts.models.limited import Door, Limited
from accounts.models.member import Language, Member, Role
from accounts.models.model_route import ModelRoute, RouteOrigin, RouteScope
from accounts.models.nightly_task import NightlyTask
from accounts.models.price import Price, PriceOrigin
from accounts.models.quota_reading import QuotaReading, QuotaSource
from accounts.models.reconciliation import QuotaUnit, Reconciliation
from accounts.models.seat import Seat, SeatKind, SeatState, Serves
from accounts.models.stored_reply import StoredReply, StoredReplyQuerySet
from accounts.models.team import Team
from accounts.models.trail_entry import TrailEntry, TrailHead
from accounts.models.usage_attempt import UsageAttempt
from accounts.models.usage_day import Sums, UsageDay, UsageSession
from accounts.models.usage_record import CostSource, UsageRecord, UsageStatus
from accounts.models.watched import Kept, KeptQuerySet, Watched, WatchedQuerySet

__all__ = [
    "ApiKey",
    "Budget",
    "BudgetPeriod",
    "BudgetScope",
    "BudgetSpan",
    "BudgetWarning",
    "CatalogueCopy",
    "Correction",
    "CostSource",
    "DeviceLogin",
    "Door",
    "Epoch",
    "Instance",
    "Kept",
    "KeptQuerySet",
    "Language",
    "Limited",
    "LoginFault",
    "LoginState",
    "Member",
    "ModelRoute",
    "NightlyTask",
    "Price",
    "PriceOrigin",
    "QuotaReading",
    "QuotaSource",
    "QuotaUnit",
    "Reconciliation",
    "Role",
    "RouteOrigin",
    "RouteScope",
    "Seat",
    "SeatKind",
    "SeatState",
    "Serves",
    "StoredReply",
    "StoredReplyQuerySet",
    "Sums",
    "Team",
    "TrailEntry",
    "TrailHead",
    "UsageAttempt",
    "UsageDay",
    "UsageRecord",
    "UsageSession",
    "UsageStatus",
    "Watched",
    "WatchedQuerySet",
    "sign_in_trail",
]
