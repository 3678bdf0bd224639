"""Why somebody can, or cannot, do something: their grants, and what beside them would stop it."""

from dataclasses import dataclass

from contacts.approval import Weight, why_needed
from contacts.cards import why_fixed
from contacts.models import ContactType
from orgs.access import WHOLE, Right
from orgs.explaining import Explanation, explain
from orgs.models import Account
from orgs.second_factor import has_second_factor, needs_second_factor
from portal.models import User

# To AWS, or about what goes there.
SENDS = frozenset({Right.EDIT, Right.BREAK_GLASS, Right.APPROVE})


@dataclass(frozen=True)
class Question:
    """May this person do this; with an account, there; with a type, for that contact of it."""

    person: User
    right: Right
    account: Account | None = None
    contact_type: str = ""

    @property
    def about(self) -> str:
        """What it is about, to stand behind the right: “the Security contact of 442109153376 ledger”."""
        if self.account is None:
            return "for the whole portal" if self.right in WHOLE else "anywhere at all"
        account = f"{self.account.aws_id} {self.account.name}".rstrip()
        if self.contact_type:
            return f"the {ContactType(self.contact_type).label} contact of {account}"
        return f"at least one contact of {account}"


@dataclass(frozen=True)
class Answer:
    """The decision, in a sentence; the grants behind it; and what would stop it all the same."""

    question: Question
    explanation: Explanation
    beside: list[str]

    @property
    def allowed(self) -> bool:
        return self.explanation.allowed

    @property
    def sentence(self) -> str:
        question = self.question
        verb = "has" if self.allowed else "does not have"
        return f"{question.person.label} {verb} the right “{question.right.label}”: {question.about}."

    @property
    def reasons(self) -> list[str]:
        """What decides before any grant does."""
        if not self.explanation.is_active:
            return ["This person is deactivated, so none of their grants counts."]
        if self.explanation.is_superuser:
            return ["A superuser may do everything, everywhere."]
        if not self.explanation.grants:
            return ["This person was never given any access, neither directly nor by a group."]
        return []


def answer(question: Question) -> Answer:
    """Hold the question against orgs/access.py, and against what stops changes beside it."""
    explanation = explain(question.person, question.right, question.account, question.contact_type)
    return Answer(question, explanation, _beside(question))


def _beside(question: Question) -> list[str]:
    """Whatever the grants say: the second step, the account's state, AWS, the rules of approval."""
    account, right = question.account, question.right
    found = []
    if needs_second_factor(question.person) and not has_second_factor(question.person):
        found.append("Their roles ask for a second step at sign-in, and they have not set one up here.")
    if account and right in SENDS | {Right.CHECK} and (fixed := why_fixed(account)):
        found.append(fixed)
    if account and right == Right.EDIT:
        found += _approval(question.person, account)
    if right == Right.APPROVE:
        found.append("Nobody approves what they asked for themselves.")
    return found


def _approval(person: User, account: Account) -> list[str]:
    management = int(account.is_management)
    change = why_needed(person, Weight(1, 0, management))
    deletion = why_needed(person, Weight(1, 1, management))
    if change:
        return [f"Each change waits for somebody else's approval, because {' and '.join(change)}."]
    if deletion:
        return [f"Deleting it waits for somebody else's approval, because {' and '.join(deletion)}."]
    return []
