"""Who was in the group of a role is given that role everywhere, and the groups of roles go."""

from django.db import migrations

ROLES = ["Viewer", "Helpdesk", "Editor", "Approver", "Auditor", "Administrator"]


def give_grants(apps, schema_editor):
    group, grant = apps.get_model("auth", "Group"), apps.get_model("orgs", "AccessGrant")
    for role in group.objects.filter(name__in=ROLES):
        grant.objects.bulk_create(grant(person=person, role=role.name) for person in role.user_set.all())
        role.delete()


def give_groups(apps, schema_editor):
    group, grant = apps.get_model("auth", "Group"), apps.get_model("orgs", "AccessGrant")
    everywhere = grant.objects.filter(organization=None, unit=None, account=None, contact_types=[], ends_at=None)
    for name in ROLES:
        role, _ = group.objects.get_or_create(name=name)
        role.user_set.add(*(held.person for held in everywhere.filter(role=name, group=None)))


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0003_access_grants"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("portal", "0001_initial"),
    ]

    operations = [migrations.RunPython(give_grants, give_groups)]
