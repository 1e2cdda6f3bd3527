"""What the gateway remembers, one file per thing."""

from __future__ import annotations

from accounts.models.api_key import ApiKey, Door
from accounts.models.catalogue_copy import CatalogueCopy
from accounts.models.device_login import DeviceLogin, LoginFault, LoginState
from accounts.models.epoch import Epoch
from accounts.models.instance import Instance
from accounts.models.member import Language, Member, Role
from accounts.models.model_route import ModelRoute, RouteOrigin, RouteScope
from accounts.models.seat import Seat, SeatKind, SeatState, Serves
from accounts.models.stored_reply import StoredReply, StoredReplyQuerySet
from accounts.models.team import Team
from accounts.models.usage_attempt import UsageAttempt
from accounts.models.usage_record import CostSource, UsageRecord, UsageStatus
from accounts.models.watched import Kept, KeptQuerySet, Watched, WatchedQuerySet

__all__ = [
    "ApiKey",
    "CatalogueCopy",
    "CostSource",
    "DeviceLogin",
    "Door",
    "Epoch",
    "Instance",
    "Kept",
    "KeptQuerySet",
    "Language",
    "LoginFault",
    "LoginState",
    "Member",
    "ModelRoute",
    "Role",
    "RouteOrigin",
    "RouteScope",
    "Seat",
    "SeatKind",
    "SeatState",
    "Serves",
    "StoredReply",
    "StoredReplyQuerySet",
    "Team",
    "UsageAttempt",
    "UsageRecord",
    "UsageStatus",
    "Watched",
    "WatchedQuerySet",
]
