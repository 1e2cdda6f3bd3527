"""The form that asks for a dry run: a model's name, a key (or whoever may be asked for), and a door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.directory import caller_of, load_snapshot
from accounts.dry_run import ASKED, DryRun, try_out
from accounts.explanation import without_key
from accounts.models import ApiKey, Door, Member

if TYPE_CHECKING:
    from accounts.directory import Caller


if TYPE_CHECKING:
    _KeyField = forms.ModelChoiceField[ApiKey]
else:
    _KeyField = forms.ModelChoiceField  # generic in the stubs only


class KeyChoice(_KeyField):
    """A key told by whose it is."""

    def label_from_instance(self, obj: ApiKey) -> str:
        return f"{obj.member.username}: {obj}"


class Question(forms.Form):
    """Of the asker's own keys; with `about_all` of everybody's, and of members without a key."""

    model = forms.CharField(label=_("Model"), max_length=200, help_text=_("The name as a program would send it."))
    door = forms.ChoiceField(
        label=_("Door"), required=False, choices=[("", _("any")), *((door.value, door.label) for door in ASKED)]
    )

    def __init__(self, asker: Member, *args: Any, about_all: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asker = asker
        keys = ApiKey.objects.live().filter(member__is_active=True).select_related("member__team").order_by("name")
        sees_all = about_all and (asker.is_owner or asker.is_auditor)
        self.fields["key"] = KeyChoice(
            label=_("API key"),
            queryset=keys if sees_all else keys.filter(member=asker),
            required=False,
            empty_label=_("without a key's limits"),
        )
        if sees_all:
            self.fields["member"] = forms.ModelChoiceField(
                label=_("Member"),
                queryset=Member.objects.filter(is_active=True).select_related("team"),
                required=False,
                empty_label=_("myself"),
            )
        self.order_fields(["model", "key", "member", "door"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("key") and cleaned.get("member"):
            self.add_error("member", _("Choose a key or a member, not both."))
        return cleaned

    def answer(self) -> DryRun:
        """Return what would become of the request; the form is valid."""
        door = self.cleaned_data.get("door")
        return async_to_sync(try_out)(
            load_snapshot(), self._caller(), self.cleaned_data["model"].strip(), door=Door(door) if door else None
        )

    def _caller(self) -> Caller:
        key: ApiKey | None = self.cleaned_data.get("key")
        if key is not None:
            return caller_of(key)
        return without_key(self.cleaned_data.get("member") or self._asker)
