"""Which organizations a command is about."""

from orgs.models import Organization
from portal.commands import wrong_usage


def chosen_organizations(aws_id: str | None) -> list[Organization]:
    """The one of this id, or all that are connected; an unknown id is wrong usage."""
    organizations = Organization.objects.all()
    if aws_id:
        organizations = organizations.filter(aws_id=aws_id)
    if aws_id and not organizations:
        raise wrong_usage(f"No organization {aws_id} is connected. Connect it with connect_organization.")
    return list(organizations)
