"""Indexes that others make needless, or by which nobody looks: each costs every writer."""

from django.conf import settings
from django.db import migrations
from django.db.migrations import AlterField
from django.db.models import CASCADE, PROTECT, ForeignKey, Index, Q

from portal.needless_index import drop_index


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0005_scale"),
        ("orgs", "0007_provider_membership"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        drop_index(
            "contacts_alternatecontact_account_id_a8e8ad33",
            "contacts_alternatecontact",
            "account_id",
            AlterField(
                "alternatecontact",
                "account",
                ForeignKey("orgs.account", PROTECT, related_name="contacts", db_index=False),
            ),
        ),
        drop_index(
            "contacts_changeset_requested_by_id_37de4f14",
            "contacts_changeset",
            "requested_by_id",
            AlterField(
                "changeset",
                "requested_by",
                ForeignKey(settings.AUTH_USER_MODEL, PROTECT, related_name="change_sets", db_index=False),
            ),
        ),
        drop_index(
            "contacts_contactchange_contact_id_1f972f28",
            "contacts_contactchange",
            "contact_id",
            AlterField(
                "contactchange",
                "contact",
                ForeignKey("contacts.alternatecontact", PROTECT, related_name="changes", db_index=False),
            ),
        ),
        drop_index(
            "contacts_contactchange_change_set_id_4b3fc3f6",
            "contacts_contactchange",
            "change_set_id",
            AlterField(
                "contactchange",
                "change_set",
                ForeignKey(
                    "contacts.changeset",
                    PROTECT,
                    null=True,
                    blank=True,
                    related_name="changes",
                    db_index=False,
                ),
            ),
        ),
        drop_index(
            "contacts_plannedchange_change_set_id_b713b509",
            "contacts_plannedchange",
            "change_set_id",
            AlterField(
                "plannedchange",
                "change_set",
                ForeignKey("contacts.changeset", CASCADE, related_name="rows", db_index=False),
            ),
        ),
        drop_index(
            "contacts_plannedchange_contact_id_fc35da1a",
            "contacts_plannedchange",
            "contact_id",
            AlterField(
                "plannedchange",
                "contact",
                ForeignKey(
                    "contacts.alternatecontact",
                    PROTECT,
                    null=True,
                    blank=True,
                    related_name="planned",
                    db_index=False,
                ),
            ),
        ),
        migrations.AddIndex(
            "plannedchange",
            Index(fields=["undoes"], condition=Q(undoes__isnull=False), name="planned_undoing"),
        ),
        drop_index(
            "contacts_plannedchange_undoes_id_604ca70f",
            "contacts_plannedchange",
            "undoes_id",
            AlterField(
                "plannedchange",
                "undoes",
                ForeignKey(
                    "contacts.contactchange",
                    PROTECT,
                    null=True,
                    blank=True,
                    related_name="undone_by",
                    db_index=False,
                ),
            ),
        ),
    ]
