"""policies: the least that lets the portal do its work, as policies to paste into AWS."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError

from orgs import policies, policy_kit
from orgs.contact_types import ContactType
from orgs.forms_policies import principal_validator, topmost
from orgs.models import Organization
from orgs.policies import Document
from orgs.selecting import chosen_organizations
from portal.commands import PortalCommand, add_json, wrong_usage


class Command(PortalCommand):
    uses_redis = False
    help = "Print the policies that the portal needs in an organization. Nothing is sent to AWS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", metavar="o-…", help="A connected organization.")
        parser.add_argument("--read-only", action="store_true", help="The portal shall change nothing.")
        parser.add_argument(
            "--types",
            nargs="+",
            choices=ContactType.values,
            default=ContactType.values,
            help="Types that it may change; with --read-only, that it may read. By default all.",
        )
        parser.add_argument(
            "--units",
            nargs="+",
            default=[],
            metavar="ou-…",
            help="Units, with those below, where it may change them. By default everywhere.",
        )
        parser.add_argument(
            "--principal",
            default="",
            metavar="ARN",
            help="User or role that the portal runs as, where the checks did not see it.",
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        [organization] = chosen_organizations(options["organization"])
        needs = policy_kit.needs_of(
            organization,
            writes=not options["read_only"],
            types=tuple(dict.fromkeys(options["types"])),
            units=_units(organization, options["units"]),
            principal=_principal(options["principal"]),
        )
        documents = policies.documents(needs)
        self.answer(options, [_facts(one) for one in documents], "\n\n".join(map(_text, documents)))


def _units(organization: Organization, wanted: list[str]) -> tuple[str, ...]:
    known = dict(organization.units.filter(aws_id__in=wanted).values_list("aws_id", "path"))
    if unknown := [unit for unit in wanted if unit not in known]:
        raise wrong_usage(f"{organization} has no unit {', '.join(unknown)}. Give ids as AWS has them.")
    return topmost(list(known.values()))


def _principal(arn: str) -> str:
    try:
        if arn:
            principal_validator(arn)
    except ValidationError as error:
        raise wrong_usage(f"--principal: {' '.join(error.messages)}") from error
    return arn


def _facts(document: Document) -> dict[str, Any]:
    return {
        "key": document.key,
        "title": document.title,
        "where": document.where,
        "policy": document.policy,
    }


def _text(document: Document) -> str:
    return f"# {document.title}. {document.where}.\n{document.text}"
