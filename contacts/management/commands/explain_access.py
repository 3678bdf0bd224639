"""explain_access: why somebody can, or cannot, do something."""

from argparse import ArgumentParser
from typing import Any

from contacts.models import ContactType
from contacts.why import Answer, Question, answer
from orgs.access import Right
from orgs.access_commands import facts_of, user_of
from orgs.explaining import Judged
from orgs.finding import PlaceFinder
from orgs.models import Account
from portal.commands import PortalCommand, add_json, wrong_usage


class Command(PortalCommand):
    """explain_access USER RIGHT [ACCOUNT] [TYPE]"""

    uses_redis = False
    help = (
        "Say whether a person has a right, there and for that contact, and which grants give it or why not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", metavar="USER", help="User name.")
        parser.add_argument("right", metavar="RIGHT", choices=Right.values, help="%(choices)s")
        parser.add_argument(
            "account", metavar="ACCOUNT", nargs="?", help="12 digits; without: anywhere at all."
        )
        parser.add_argument(
            "contact_type", metavar="TYPE", nargs="?", choices=ContactType.values, help="%(choices)s"
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        account = _account(options["account"]) if options["account"] else None
        question = Question(
            user_of(options["user"]), Right(options["right"]), account, options["contact_type"] or ""
        )
        found = answer(question)
        self.answer(options, _facts(found), _text(found))


def _account(aws_id: str) -> Account:
    account = PlaceFinder().get(aws_id)
    if not isinstance(account, Account):
        raise wrong_usage(f"No account {aws_id} is known. Run sync_accounts, or check the 12 digits.")
    return account


def _facts(found: Answer) -> dict[str, Any]:
    grants = found.explanation.grants
    return {
        "user": found.question.person.username,
        "right": found.question.right,
        "account": found.question.account.aws_id if found.question.account else None,
        "contact_type": found.question.contact_type or None,
        "allowed": found.allowed,
        "reasons": found.reasons,
        "grants": [facts_of(judged.grant) | {"lacks": list(judged.lacks)} for judged in grants],
        "beside": found.beside,
    }


def _text(found: Answer) -> str:
    lines = [f"{'Yes' if found.allowed else 'No'}. {found.sentence}", *found.reasons]
    lines += map(_line, [*found.explanation.giving, *found.explanation.lacking])
    return "\n".join([*lines, *(f"Beside grants: {text}" for text in found.beside)])


def _line(judged: Judged) -> str:
    grant = judged.grant
    why = " ".join(lack.label for lack in judged.lacks) or "It gives the right."
    by = f", by group {grant.group}" if grant.group else ""
    return f"  {grant.pk:>6}  {grant.role} {grant.place_words}, {grant.type_words}{by}: {why}"
