"""An index that the unique one of user and group makes needless."""

from django.conf import settings
from django.db import migrations
from django.db.models import CASCADE, ForeignKey

from portal.needless_index import drop_index


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0007_provider_membership"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        drop_index(
            "orgs_providermembership_user_id_b6fc88b3",
            "orgs_providermembership",
            "user_id",
            migrations.AlterField(
                "providermembership",
                "user",
                ForeignKey(settings.AUTH_USER_MODEL, CASCADE, related_name="+", db_index=False),
            ),
        )
    ]
