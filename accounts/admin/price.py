"""The rate card in the console: what each model costs, which of its prices hold today, and where they come from.

Rows that were shipped, imported or read from GitHub's model lists are decided elsewhere: here they can be switched off
and noted, nothing else. Rows made in the console are the owner's own and win over all of them. Amounts are credits per
million tokens, exact to the nano-AIU.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin.columns import NOTHING, Tone, badge, column, whole
from accounts.admin.switching import Switch, SwitchedAdmin
from accounts.days import this_day
from accounts.models import Price, PriceOrigin
from accounts.models.usage_record import NANO_PER_CREDIT
from accounts.prices.card import RateCard, load_card
from accounts.prices.computing import HIGHEST_NANO

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

    _Form = forms.ModelForm[Price]
else:
    _Form = forms.ModelForm  # generic in the stubs only

_ORIGIN_TONES = {
    PriceOrigin.SHIPPED: Tone.PLAIN,
    PriceOrigin.LIVE: Tone.NEWS,
    PriceOrigin.IMPORT: Tone.CARE,
    PriceOrigin.CONSOLE: Tone.CARE,
}
_STATES: dict[str, tuple[Tone, _StrOrPromise]] = {
    "current": (Tone.GOOD, _("in force")),
    "later": (Tone.NEWS, _("not yet in force")),
    "covered": (Tone.PLAIN, _("another holds")),
    "off": (Tone.PLAIN, _("switched off")),
}
_STATE_TONES = {state: tone for state, (tone, _text) in _STATES.items()}
_WHAT = ("model", "above_input_tokens", "valid_from")
_AMOUNTS = {
    "input_credits": "input_nano",
    "cached_credits": "cached_nano",
    "cache_write_credits": "cache_write_nano",
    "output_credits": "output_nano",
}
_MOST = Decimal(HIGHEST_NANO) / NANO_PER_CREDIT


def _amount(label: _StrOrPromise, *, required: bool = False) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=0,
        max_value=_MOST,
        decimal_places=9,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=_("Credits per million tokens; one credit is $0.01.") if required else _("Empty: as input."),
    )


class PriceForm(_Form):
    input_credits = _amount(_("input"), required=True)
    cached_credits = _amount(_("cached input"))
    cache_write_credits = _amount(_("cache write"))
    output_credits = _amount(_("output"), required=True)

    class Meta:
        model = Price
        fields = (*_WHAT, "active", "note")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance._state.adding:
            self.initial.setdefault("valid_from", this_day())
            return
        for name, amount in _AMOUNTS.items():
            nano = getattr(self.instance, amount)
            self.initial[name] = None if nano is None else Decimal(nano) / NANO_PER_CREDIT

    def clean_model(self) -> str:
        model = str(self.cleaned_data["model"])
        if any(character.isspace() for character in model):
            raise ValidationError(_("A model's id has no spaces."))
        return model

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, amount in _AMOUNTS.items():
            if name in cleaned:
                credits_ = cleaned[name]
                setattr(self.instance, amount, None if credits_ is None else int(credits_ * NANO_PER_CREDIT))
        if all(name in cleaned for name in _WHAT):
            self._check_neighbours(cleaned["model"], cleaned["valid_from"], cleaned["above_input_tokens"])
        return cleaned

    def _check_neighbours(self, model: str, valid_from: Any, above: int) -> None:
        """One price for a tier, and no tier without the first: a price that does not say all is no price."""
        beside = Price.objects.filter(origin=PriceOrigin.CONSOLE, model=model, valid_from=valid_from)
        beside = beside.exclude(pk=self.instance.pk)
        if beside.filter(above_input_tokens=above).exists():
            self.add_error("above_input_tokens", _("There is a price for this model, tier and day already."))
        elif above and not beside.filter(above_input_tokens=0).exists():
            self.add_error("above_input_tokens", _("First make the price above 0 of the same model and day."))


@admin.register(Price)
class PriceAdmin(SwitchedAdmin):
    form = PriceForm
    list_display = (
        "model", "tier", "state_badge", "valid_from", "input_credits", "cached_credits", "cache_write_credits",
        "output_credits", "origin_badge", "active", "note",
    )  # fmt: skip
    list_display_links = ("model",)
    list_filter = (("origin", ChoicesDropdownFilter), ("active", BooleanRadioFilter))
    search_fields = ("model", "note")
    search_help_text = _("Model or note")
    date_hierarchy = "valid_from"
    fieldsets = (
        (None, {"fields": _WHAT}),
        (_("Credits per million tokens"), {"fields": tuple(_AMOUNTS)}),
        (_("State"), {"fields": ("active", "note", "state_badge", "origin_badge", "created_at")}),
    )
    add_fieldsets = (
        (None, {"fields": _WHAT}),
        (_("Credits per million tokens"), {"fields": tuple(_AMOUNTS)}),
        (_("State"), {"fields": ("active", "note")}),
    )
    switch = Switch(
        on=_("Requests are computed by this price from now on, unless one that is preferred holds."),
        off=_("Requests are no longer computed by this price. What was computed stays as it is."),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        decided = () if obj.origin == PriceOrigin.CONSOLE else (*_WHAT, *_AMOUNTS)
        return ("state_badge", "origin_badge", "created_at", *decided)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_own = not isinstance(obj, Price) or obj.origin == PriceOrigin.CONSOLE
        return is_own and request.user.has_perm("accounts.delete_price")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Read the card once for all the rows of the page."""
        changes: ChangeList = super().get_changelist_instance(request)
        card = load_card()
        for price in changes.result_list:
            price.shown_state = _state_of(price, card)
        return changes

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The amounts stand in the form under other names than their columns."""
        if not change or obj.origin != PriceOrigin.CONSOLE:
            super().save_model(request, obj, form, change)
            return
        obj.save(update_fields=[*_WHAT, *_AMOUNTS.values(), "active", "note"])

    @badge(_("state"), _STATE_TONES)
    def state_badge(self, price: Price) -> tuple[str, _StrOrPromise]:
        state = getattr(price, "shown_state", None) or _state_of(price, load_card())
        return state, _STATES[state][1]

    @badge(_("origin"), _ORIGIN_TONES, sorted_by="origin")
    def origin_badge(self, price: Price) -> tuple[str, str]:
        return price.origin, price.get_origin_display()

    @column(_("above input tokens"), sorted_by="above_input_tokens")
    def tier(self, price: Price) -> str:
        return whole(price.above_input_tokens)

    @column(_("input"), sorted_by="input_nano")
    def input_credits(self, price: Price) -> str:
        return exact_credits(price.input_nano)

    @column(_("cached input"), sorted_by="cached_nano")
    def cached_credits(self, price: Price) -> str:
        return exact_credits(price.cached_nano)

    @column(_("cache write"), sorted_by="cache_write_nano")
    def cache_write_credits(self, price: Price) -> str:
        return exact_credits(price.cache_write_nano)

    @column(_("output"), sorted_by="output_nano")
    def output_credits(self, price: Price) -> str:
        return exact_credits(price.output_nano)


def exact_credits(nano: int | None) -> str:
    """Return nano-AIU as credits with every decimal that there is."""
    if nano is None:
        return NOTHING
    credits_ = (Decimal(nano) / NANO_PER_CREDIT).normalize()
    decimals = max(0, -int(credits_.as_tuple().exponent))
    return formats.number_format(credits_, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def _state_of(price: Price, card: RateCard) -> str:
    if not price.active:
        return "off"
    if price.valid_from > this_day():
        return "later"
    entry = card.find(price.model, this_day())
    is_current = entry is not None and (entry.model, entry.origin, entry.valid_from) == (
        price.model,
        price.origin,
        price.valid_from,
    )
    return "current" if is_current else "covered"
