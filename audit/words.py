"""Events in words: a sentence for each, and its old and new values field by field."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.context import Source
from audit.former import former_people
from audit.models import Action, AuditEvent
from audit.parts import Parts, parts_of

SENTENCES = {
    Action.CHANGE_REQUESTED: "Change asked for by {who}",
    Action.CHANGE_APPLIED: "AWS took the change of {who}",
    Action.CHANGE_UNCHANGED: "Change of {who} settled: AWS had this value already",
    Action.CHANGE_UNCONFIRMED: "Change of {who} sent, but the answer of AWS was lost",
    Action.CHANGE_READ_BACK: "What was sent without an answer stands in AWS after all",
    Action.CHANGE_FAILED: "Change of {who} failed",
    Action.CHANGE_CONFLICT: "Change of {who} held back: AWS has another value meanwhile",
    Action.CHANGE_CANCELLED: "Change cancelled by {who}",
    Action.CHANGE_SUPERSEDED: "Change replaced by a newer one",
    Action.CHANGE_SKIPPED: "Change planned by {who} skipped",
    Action.SET_SUBMITTED: "Change set submitted by {who}",
    Action.SET_APPROVED: "Change set approved by {who}",
    Action.SET_REFUSED: "Change set refused by {who}",
    Action.SET_EXPIRED: "Change set lapsed: nobody approved it in time",
    Action.GLASS_BROKEN: "{who} broke the glass: acted before any approval",
    Action.SET_PAUSED: "Change set paused by {who}",
    Action.SET_RESUMED: "Change set resumed by {who}",
    Action.SET_CANCELLED: "Rest of a change set cancelled by {who}",
    Action.SET_FINISHED: "Change set of {who} finished",
    Action.APPROVAL_RULES_CHANGED: "Rules of approval changed by {who}",
    Action.CONTACT_BASELINE: "Contacts seen for the first time",
    Action.CONTACT_DRIFT: "Contact changed outside the portal",
    Action.CONTACTS_EXPORTED: "Contacts exported by {who}",
    Action.ACCOUNT_JOINED: "Account found in the organization",
    Action.ACCOUNT_MOVED: "Account moved to another unit",
    Action.ACCOUNT_LEFT: "Account left the organization",
    Action.ACCOUNT_STATE_CHANGED: "State of the account changed in AWS",
    Action.ACCOUNT_RENAMED: "Account renamed in AWS",
    Action.ACCOUNT_CONNECTED: "Account connected by {who}",
    Action.ORGANIZATION_CONNECTED: "Organization connected by {who}",
    Action.ORGANIZATION_CHANGED: "Connection of the organization changed by {who}",
    Action.TRUST_REQUESTED: "{who} asked AWS to switch trusted access on",
    Action.TRUST_ENABLED: "Trusted access switched on by {who}",
    Action.TRUST_FAILED: "Trusted access not switched on, although {who} asked for it",
    Action.USER_CREATED: "User created by {who}",
    Action.USER_CHANGED: "User changed by {who}",
    Action.ROLES_CHANGED: "Roles changed by {who}",
    Action.GRANT_GIVEN: "Access given by {who}",
    Action.GRANT_ENDED: "Access ended by {who}",
    Action.GROUP_CREATED: "Group created by {who}",
    Action.GROUP_CHANGED: "Members of a group changed by {who}",
    Action.GROUP_DELETED: "Group deleted by {who}",
    Action.GRANTS_EXPORTED: "List of access exported by {who}",
    Action.GROUPS_RENEWED: "Groups of {who} renewed by the identity provider",
    Action.PASSWORD_CHANGED: "Password changed by {who}",
    Action.SIGN_IN_CHANGED: "Sign-in protection changed by {who}",
    Action.SIGNED_IN: "{who} signed in",
    Action.SIGN_IN_FAILED: "Sign-in failed",
    Action.SIGNED_OUT: "{who} signed out",
    Action.SESSIONS_ENDED: "Sessions ended by {who}",
    Action.PROVIDER_LINKED: "Person linked to the identity provider by {who}",
    Action.ACCESS_REFUSED: "Attempt of {who} refused",
    Action.AUDIT_EXPORTED: "Audit exported by {who}",
    Action.CONTACTS_CHECKED: "{who} had AWS read now",
    Action.ORGANIZATION_CHECKED: "{who} had the checks run now",
    Action.DISCOVERY_REQUESTED: "{who} had accounts and units read now",
    Action.DRIFT_ADOPTED: "Change from outside adopted by {who}",
    Action.DRIFT_REVERTED: "{who} asked to take back a change from outside",
    Action.DRIFT_IGNORED: "Change from outside ignored by {who}",
    Action.REVIEWED: "Reviewed by {who}",
    Action.QUESTION_ASKED: "Questioned by {who}",
    Action.QUESTION_ANSWERED: "Question answered by {who}",
    Action.QUESTION_SETTLED: "Question settled by {who}",
    Action.PERIOD_SIGNED_OFF: "Period signed off by {who}",
}

LABELS = {
    "email": "E-mail",
    "aws_id": "AWS id",
    "role_arn": "Role",
    "management_role_arn": "Role for the management account",
    "external_id": "External id",
    "caller_account_id": "Account of the credentials",
    "is_active": "Active",
    "where": "Where",
    "contact_types": "Contact types",
    "ends_at": "Ends",
    "is_former": "Shown under another name",
}
SUBJECTS = ("user", "group", "holder", "title", "command", "report")  # of those named, the first
STATUS, UNKNOWN = "status", "unknown"
STATUS_WORDS = {"set": "Set", "absent": "Not set", UNKNOWN: "Unknown"}
CONTACT_FIELDS = ("name", "title", "email", "phone")


@dataclass(frozen=True)
class Difference:
    """One field that is not what it was; an empty text: there was, or is, nothing."""

    field: str
    label: str
    old: str
    new: str

    @property
    def old_parts(self) -> Parts:
        """The old text with what went marked."""
        return self._parts(self.old, self.new)

    @property
    def new_parts(self) -> Parts:
        """The new text with what came marked."""
        return self._parts(self.new, self.old)

    def _parts(self, value: str, other: str) -> Parts:
        is_word = self.field == STATUS  # of ours, and none of its letters changed
        return Parts(value, "", "") if is_word else parts_of(value, other)


def who(event: AuditEvent) -> str:
    """The person behind an event, as it was written down then; who left may have another name today."""
    if today := former_people().get(event.actor_id or 0):
        return today
    if event.source == Source.COMMAND and event.os_user:
        terminal = f"{event.os_user} at a terminal"
        return f"{event.actor_label} ({terminal})" if event.actor_label else terminal
    if event.actor_label:
        return event.actor_label
    return "somebody who was not signed in" if event.source == Source.PAGE else "the portal"


def sentence(event: AuditEvent) -> str:
    """What happened, in one sentence without its full stop."""
    text = SENTENCES[Action(event.action)].format(who=who(event))
    return text[:1].upper() + text[1:]


def subject(event: AuditEvent) -> str:
    """Whom or what an event is about that is about no account; empty where nothing else says it."""
    detail = event.detail
    if event.action == Action.ACCESS_REFUSED and detail.get("path"):
        return f"{detail.get('method', '')} {detail['path']}".strip()
    if event.actor_id and detail.get("user_id") == event.actor_id:
        return ""  # oneself, who is named anyway
    return next((str(detail[name]) for name in SUBJECTS if detail.get(name)), "")


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """What is not the same in two records of an event, in the order in which they name it."""
    before, after = before or {}, after or {}
    rows = [
        Difference(field, label_of(field), _side(before, field), _side(after, field))
        for field in dict.fromkeys([*_ordered(before), *_ordered(after)])
    ]
    return [row for row in rows if row.old != row.new]


def label_of(field: str) -> str:
    """The name of a field, or of a contact's type, for people."""
    return LABELS.get(field) or field.replace("_", " ").strip().lower().capitalize()


def _ordered(values: Mapping[str, Any]) -> list[str]:
    """PostgreSQL keeps no order of keys; a contact's fields come as its form shows them."""
    first = [field for field in (STATUS, *CONTACT_FIELDS) if field in values]
    return first + sorted(set(values) - set(first))


def _side(values: Mapping[str, Any], field: str) -> str:
    if field == STATUS:
        return STATUS_WORDS.get(values.get(STATUS, ""), _text(values.get(STATUS)))
    if field not in values and field in CONTACT_FIELDS and values.get(STATUS) == UNKNOWN:
        return STATUS_WORDS[UNKNOWN]  # not known is not the same as empty
    return _text(values.get(field))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, Mapping):
        return _contact(value) if STATUS in value else _counted(value)
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return str(value)


def _counted(value: Mapping[str, Any]) -> str:
    """Numbers by name, such as how the rows of a set ended, without the zeros; else as JSON."""
    if not all(isinstance(number, int) for number in value.values()):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    counts = sorted(((number, name) for name, number in value.items() if number), reverse=True)
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for number, name in counts)


def _contact(value: Mapping[str, Any]) -> str:
    """A whole contact in one line, as a baseline holds three of them."""
    parts = [value[field] for field in CONTACT_FIELDS if value.get(field)]
    return ", ".join(parts) if parts else STATUS_WORDS.get(value[STATUS], str(value[STATUS]))
