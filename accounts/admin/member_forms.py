"""Forms for members: making one, changing one, and giving one a new password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from accounts.models import Member, Role

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


def is_last_owner(member: Member) -> bool:
    """Whether nobody could open the console any more if this member could not."""
    if member.pk is None or not Member.objects.filter(pk=member.pk, role=Role.OWNER, is_active=True).exists():
        return False
    return not Member.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=member.pk).exists()


class NewMemberForm(UserCreationForm):
    class Meta:
        model = Member
        fields = ("username",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["must_change_password"].initial = True


class MemberForm(UserChangeForm):
    """Without the password: nothing of its digest is shown, and a form that was open does not write it back."""

    class Meta:
        model = Member
        fields = "__all__"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays_owner = cleaned.get("role") == Role.OWNER and cleaned.get("is_active")
        if not stays_owner and is_last_owner(self.instance):
            raise ValidationError(_("The last active owner stays one; make another member an owner first."))
        return cleaned


class NewPasswordForm(AdminPasswordChangeForm):
    """A password that somebody else chose is for one sign-in only."""

    user: Member

    def save(self, commit: bool = True) -> AbstractBaseUser:
        self.user.must_change_password = True
        saved: AbstractBaseUser = super().save(commit)
        return saved
