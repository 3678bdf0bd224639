"""Indexes for hundreds of thousands of contacts and changes: what is unknown, and any part of a text."""

from django.db import migrations, models

from portal.text_index import text_index


class Migration(migrations.Migration):
    dependencies = [("contacts", "0004_drift_alerts"), ("orgs", "0005_scale")]

    operations = [
        migrations.AddIndex(
            "alternatecontact",
            models.Index(
                fields=["problem", "account"],
                condition=models.Q(status="unknown"),
                name="contact_unknown",
            ),
        ),
        text_index(
            "contact_by_text", "contacts_alternatecontact", "upper(name::text)", "upper(email::text)"
        ),
        text_index("change_by_text", "contacts_contactchange", "upper(reason::text)", "upper(ticket::text)"),
    ]
