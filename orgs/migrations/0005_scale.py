"""Indexes for a hundred thousand accounts: by place, and by any part of name, e-mail or id."""

from django.db import migrations, models

from portal.text_index import text_index


class Migration(migrations.Migration):
    dependencies = [("orgs", "0004_roles_become_grants"), ("audit", "0004_finding")]

    operations = [
        migrations.AddIndex(
            "account",
            models.Index(
                fields=["organization", "unit"], condition=models.Q(left_at=None), name="account_by_place"
            ),
        ),
        text_index(
            "account_by_text", "orgs_account", "upper(name::text)", "upper(email::text)", "(aws_id::text)"
        ),
    ]
