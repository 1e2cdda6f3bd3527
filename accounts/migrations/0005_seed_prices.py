"""The rate card that comes with the gateway. Later starts keep it up to date (accounts/prices/rows.py)."""

from __future__ import annotations

from django.db import migrations

from accounts.prices.files import shipped_card


def seed(apps, _schema_editor):
    Price = apps.get_model("accounts", "Price")
    Price.objects.bulk_create(
        [
            Price(
                origin="shipped",
                model=line.model,
                above_input_tokens=line.above_input_tokens,
                valid_from=line.valid_from,
                **line.amounts,
            )
            for line in shipped_card()
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_fill_rollups")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
