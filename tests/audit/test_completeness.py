"""Whatever writes leaves an event: found by walking the code, so that no new way to write is forgotten."""

from weakref import ref

import pytest
from allauth.account import signals as account_signals
from allauth.mfa import signals as mfa_signals
from django.apps import apps
from django.dispatch import Signal

from audit.models import Action
from tests.audit.write_sites import MODULE, Code, read, walk

RECORDING = {"audit/log.py:record", "audit/log.py:record_all"}

# A function that writes rows and their events in one transaction, and the events it may leave.
USE_CASES = {
    "audit/periods.py:sign_off": {"PERIOD_SIGNED_OFF"},
    "audit/reviews.py:answer": {"QUESTION_ANSWERED"},
    "audit/reviews.py:ask": {"QUESTION_ASKED"},
    "audit/reviews.py:mark_reviewed": {"REVIEWED"},
    "audit/reviews.py:settle": {"QUESTION_SETTLED"},
    "contacts/approval.py:save_rules": {"APPROVAL_RULES_CHANGED"},
    "contacts/change_sets.py:decide": {"SET_APPROVED", "SET_REFUSED", "CHANGE_CANCELLED"},
    "contacts/change_sets.py:expire": {"SET_EXPIRED", "CHANGE_CANCELLED"},
    "contacts/change_sets.py:finish": {"SET_FINISHED"},
    "contacts/change_sets.py:stop": {"SET_CANCELLED"},
    "contacts/change_sets.py:submit": {"SET_SUBMITTED", "GLASS_BROKEN"},
    "contacts/change_sets.py:withdraw": {"SET_CANCELLED", "CHANGE_CANCELLED"},
    "contacts/changes.py:cancel_change": {"CHANGE_CANCELLED"},
    "contacts/changes.py:request_change": {"CHANGE_REQUESTED", "CHANGE_SUPERSEDED", "SET_SUBMITTED"},
    "contacts/drifts.py:adopt": {"DRIFT_ADOPTED"},
    "contacts/drifts.py:ignore": {"DRIFT_IGNORED"},
    "contacts/drifts.py:let_all_stand": {"DRIFT_ADOPTED", "DRIFT_IGNORED"},
    "contacts/drifts.py:revert": {"DRIFT_REVERTED", "CHANGE_REQUESTED"},
    "contacts/mirror.py:note_reading": {"CONTACT_DRIFT", "CHANGE_READ_BACK"},
    "contacts/observation.py:_note_all": {"CONTACT_BASELINE", "CONTACT_DRIFT", "CHANGE_READ_BACK"},
    "contacts/planned_changes.py:cancel_changes": {"CHANGE_CANCELLED"},
    "contacts/planned_changes.py:request_changes": {"CHANGE_REQUESTED", "CHANGE_SKIPPED"},
    "contacts/settle.py:_return_unconfirmed": {"CHANGE_UNCONFIRMED"},
    "contacts/settle.py:finish": {"CHANGE_APPLIED", "CHANGE_UNCHANGED", "CHANGE_FAILED", "CHANGE_CONFLICT"},
    "contacts/steering.py:cancel_rest": {"SET_CANCELLED"},
    "contacts/steering.py:pause": {"SET_PAUSED"},
    "contacts/steering.py:resume": {"SET_RESUMED"},
    "orgs/connecting.py:connect_account": {"ACCOUNT_CONNECTED"},
    "orgs/connecting.py:connect_organization": {"ORGANIZATION_CONNECTED", "ORGANIZATION_CHANGED"},
    "orgs/connecting.py:update_view": {"ORGANIZATION_CHANGED"},
    "orgs/grants.py:add_member": {"GROUP_CHANGED"},
    "orgs/grants.py:create_group": {"GROUP_CREATED"},
    "orgs/grants.py:delete_group": {"GROUP_DELETED"},
    "orgs/grants.py:end_grant": {"GRANT_ENDED"},
    "orgs/grants.py:give_grant": {"GRANT_GIVEN"},
    "orgs/grants.py:remove_member": {"GROUP_CHANGED"},
    "orgs/leaving.py:hide_name": {"USER_CHANGED"},
    "orgs/merging.py:count_missing": {"ACCOUNT_LEFT"},
    "orgs/merging.py:merge_accounts": {
        "ACCOUNT_JOINED",
        "ACCOUNT_MOVED",
        "ACCOUNT_STATE_CHANGED",
        "ACCOUNT_RENAMED",
    },
    "orgs/trusted_access.py:enable_trusted_access": {
        "TRUST_REQUESTED",
        "TRUST_ENABLED",
        "TRUST_FAILED",
        "ORGANIZATION_CHANGED",
    },
    "orgs/locked_out.py:forget_second_step": {"SIGN_IN_CHANGED"},
    "orgs/locked_out.py:link_to_provider": {"PROVIDER_LINKED"},
    "orgs/people.py:change_details": {"USER_CHANGED"},
    "orgs/people.py:change_profile": {"USER_CHANGED"},
    "orgs/people.py:create_user": {"USER_CREATED"},
    "orgs/people.py:set_active": {"USER_CHANGED"},
    "orgs/people.py:set_password": {"PASSWORD_CHANGED"},
    "orgs/provider.py:_admit": {"USER_CREATED", "GROUPS_RENEWED"},
    "orgs/provider_groups.py:renew_groups": {"GROUPS_RENEWED"},
    "orgs/sessions.py:_end_all": {"SESSIONS_ENDED"},
    "orgs/sessions.py:end_session": {"SESSIONS_ENDED"},
}
# Facts without a write of ours: somebody came, took something away, had something read, or was refused.
OTHER_FACTS = {
    "audit/export.py:export_events": {"AUDIT_EXPORTED"},
    "contacts/asking.py:ask": {"ACCESS_REFUSED"},
    "contacts/bulk/commands.py:ChangeSetCommand.work": {"ACCESS_REFUSED"},
    "contacts/bulk/report.py:export_errors": {"CONTACTS_EXPORTED"},
    "contacts/bulk/report.py:export_report": {"CONTACTS_EXPORTED"},
    "contacts/exporting.py:export_contacts": {"CONTACTS_EXPORTED"},
    "contacts/exporting.py:export_template": {"CONTACTS_EXPORTED"},
    "contacts/management/commands/export_contacts.py:Command._export": {"ACCESS_REFUSED"},
    "contacts/checking.py:request_check": {"CONTACTS_CHECKED"},
    "orgs/reading.py:request_reading": {"CONTACTS_CHECKED"},
    "contacts/views/review_periods.py:review_period_export": {"AUDIT_EXPORTED"},
    "orgs/discovery.py:request_discovery": {"DISCOVERY_REQUESTED"},
    "orgs/grant_list.py:export_grants": {"GRANTS_EXPORTED"},
    "orgs/operator.py:recording": {"USER_CREATED", "PASSWORD_CHANGED"},
    "orgs/preflight.py:request_checks": {"ORGANIZATION_CHECKED"},
    "orgs/refusals.py:RefusalMiddleware.__call__": {"ACCESS_REFUSED"},
    "orgs/provider.py:ProviderAdapter.on_authentication_error": {"SIGN_IN_FAILED"},
    "orgs/provider.py:_refused": {"SIGN_IN_FAILED"},
    "orgs/sign_ins.py:_added": {"SIGN_IN_CHANGED"},
    "orgs/sign_ins.py:_code_failed": {"SIGN_IN_FAILED"},
    "orgs/sign_ins.py:_failed": {"SIGN_IN_FAILED"},
    "orgs/sign_ins.py:_password_changed": {"PASSWORD_CHANGED"},
    "orgs/sign_ins.py:_removed": {"SIGN_IN_CHANGED"},
    "orgs/sign_ins.py:_renewed": {"SIGN_IN_CHANGED"},
    "orgs/sign_ins.py:_signed_in": {"SIGNED_IN"},
    "orgs/sign_ins.py:_signed_out": {"SIGNED_OUT"},
    "orgs/sign_ins.py:note_stopped": {"SIGN_IN_FAILED"},
}
# What only older events say, and what says it now.
RETIRED = {"ROLES_CHANGED"}  # GRANT_GIVEN and GRANT_ENDED
# Writes that are no fact for people, and why.
EXEMPT = {
    "audit/log.py:record_all": "the audit itself",
    "audit/seals.py:_seal": "the audit's seals",
    "audit/triggers.py:_execute": "the audit's protection, put back by migrate",
    "audit/triggers.py:_sqlite_state": "reads which triggers stand",
    "audit/verification.py:keep": "what a verification found; it never touches an event",
    "contacts/alerts.py:_tell": "marks that a mail was written; the drift has its event",
    "contacts/bulk/plan.py:choose": "a draft of its author; submitting it is the fact",
    "contacts/bulk/plan.py:make_plan": "a draft of its author; submitting it is the fact",
    "contacts/bulk/run.py:_cancel": "rows that were never asked for; the cancelled set is the fact",
    "contacts/change_sets.py:drop_draft": "a draft that nobody submitted",
    "contacts/change_sets.py:start_running": "from preparing to running; that it was asked for is the fact",
    "contacts/delivery.py:claim_change": "a worker's claim; what comes of it is the fact",
    "contacts/mirror.py:ensure_contacts": "empty rows, before anything was read",
    "contacts/mirror.py:note_failure": "that a read was refused: what we know, not what somebody did",
    "contacts/mirror.py:note_written": "a note of settle.finish, which records in the same transaction",
    "contacts/settle.py:give_back": "a claim given back: nothing has happened yet",
    "orgs/discovery.py:_save": "when an organization was read, and why not",
    "orgs/merging.py:drop_missing_units": "the tree as AWS has it; that an account moved is the fact",
    "orgs/merging.py:merge_units": "the tree as AWS has it; that an account moved is the fact",
    "orgs/provider.py:_take_claims": "empties what the sign-in library kept; the sign-in is the fact",
    "orgs/preflight.py:run_checks": "what the checks found; that somebody asked is the fact",
    "orgs/reading.py:ask_for": "when to read next; that a person asked is a fact of request_reading",
    "orgs/reading.py:claim": "a reader's claim; what comes of it is the fact",
    "orgs/reading.py:release": "a claim given back: nothing has happened yet",
    "portal/inserting.py:_copy": "how rows are inserted; whoever inserts them answers for the event",
    "portal/inserting.py:_execute": "how rows are inserted; whoever inserts them answers for the event",
    "portal/inserting.py:_point_in_one": "how rows are updated; whoever does so answers for the event",
    "portal/inserting.py:_point_one_by_one": "how rows are updated; whoever does so answers for the event",
    "portal/mail.py:drop_old": "the outbox",
    "portal/tasks.py:drop_old_sessions": "sessions that ended by themselves",
    "portal/mail.py:send_due": "the outbox",
    "portal/mail.py:send_later": "the outbox; what the mail tells of is the fact",
    f"portal/settings.py:{MODULE}": "a dictionary of settings",
    "portal/text_index.py:text_index": "makes an index in a migration; no row of anybody",
}
# What the sign-in library tells, and the portal does not write down.
UNHEARD = {
    "account.user_signed_up": "nobody signs up: people are made by administrators",
    "account.password_set": "everybody has a password from the first day",
    "account.password_reset": "there is no way to reset a password by mail",
    "account.email_added": "addresses are set by administrators, on the person's page",
    "account.email_changed": "addresses are set by administrators, on the person's page",
    "account.email_confirmed": "addresses are not confirmed",
    "account.email_confirmation_sent": "addresses are not confirmed",
    "account.email_removed": "addresses are set by administrators, on the person's page",
    "account._add_email": "internal to the library",
    "account.authentication_step_completed": "one sign-in is one event",
    "account.email_verification_code_rejected": "addresses are not confirmed",
    "account.login_code_rejected": "nobody signs in by a code from a mail",
    "account.password_reset_code_rejected": "there is no way to reset a password by mail",
    "mfa.authenticator_used": "one sign-in is one event",
}


@pytest.fixture(scope="module")
def code() -> Code:
    """The product, with the names under which its models hold many of another."""
    models = apps.get_models()
    relations = {field.name for model in models for field in model._meta.many_to_many}
    relations |= {
        relation.get_accessor_name() for model in models for relation in model._meta.related_objects
    }
    assert {"groups", "contacts", "rows"} <= relations
    return walk(relations)


def ways_past(code: Code, site: str) -> list[str]:
    """Where somebody comes to this write from without passing a use case."""
    callers, seen, todo, ways = code.callers(), set(), [site], []
    while todo:
        name = todo.pop()
        if name in seen or name in USE_CASES or name in EXEMPT:
            continue
        seen.add(name)
        if not callers[name]:
            ways.append(name)
        todo += callers[name]
    return ways


def events_of(code: Code, name: str) -> set[str]:
    """The events that this function may leave; none when it never comes to the audit."""
    reach = code.reach(name)
    return set().union(*(code.actions[part] for part in reach)) if reach & RECORDING else set()


def test_whatever_writes_is_part_of_a_use_case_or_says_why_not(code: Code):
    past = {site: ways_past(code, site) for site in code.writes}
    assert {site: ways for site, ways in past.items() if ways} == {}


@pytest.mark.parametrize("name", USE_CASES)
def test_a_use_case_writes_and_leaves_its_events(code: Code, name: str):
    assert code.reach(name) & code.writes, "it writes nothing: take it out"
    assert events_of(code, name) >= USE_CASES[name]


@pytest.mark.parametrize("name", OTHER_FACTS)
def test_other_facts_leave_their_events(code: Code, name: str):
    assert events_of(code, name) >= OTHER_FACTS[name]


def test_an_exemption_that_nobody_needs_is_taken_out(code: Code):
    assert [name for name in EXEMPT if not code.reach(name) & code.writes] == []


def test_every_event_that_the_audit_can_say_is_left_by_somebody(code: Code):
    known = set().union(*USE_CASES.values(), *OTHER_FACTS.values())
    assert {action.name for action in Action} == known | RETIRED


def test_what_records_is_registered(code: Code):
    registered = set().union(*map(code.reach, [*USE_CASES, *OTHER_FACTS]))
    recorders = {name for name, others in code.refers.items() if others & RECORDING} - RECORDING
    assert recorders - registered == set()


def test_every_file_that_people_take_away_is_an_event(code: Code):
    assert code.sends_files
    assert [name for name in sorted(code.sends_files) if not code.reach(name) & RECORDING] == []


def hearers(signal: Signal) -> set[str]:
    """The modules whose functions this signal calls."""
    functions = [entry[1]() if isinstance(entry[1], ref) else entry[1] for entry in signal.receivers]
    return {function.__module__ for function in functions if function}


@pytest.mark.parametrize(("room", "module"), [("account", account_signals), ("mfa", mfa_signals)])
def test_what_the_sign_in_library_does_is_heard(room: str, module):
    signals = {f"{room}.{name}": it for name, it in vars(module).items() if isinstance(it, Signal)}
    heard = {name for name, signal in signals.items() if "orgs.sign_ins" in hearers(signal)}
    unheard = {name for name in UNHEARD if name.startswith(f"{room}.")}
    assert set(signals) - heard == unheard


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    Account.objects.filter(pk=x).update(name='')",
        "def f(x):\n    def g():\n        x.save(update_fields=['name'])\n    return g",
        "def f(x):\n    x.groups.add(1)",
        "def f(x):\n    cursor.execute('DELETE FROM orgs_account')",
        "class Task:\n    def f(self, x):\n        x.delete()",
        "from orgs.b import h\ndef f(x):\n    h(x)",
    ],
)
def test_a_new_way_to_write_is_found(text: str):
    other = "def h(x):\n    Account.objects.bulk_create([x])"
    code = read({"orgs/a.py": text, "orgs/b.py": other}, {"groups"})
    found = code.writes - {"orgs/b.py:h"} or {
        name for name in code.refers if "orgs/b.py:h" in code.refers[name]
    }
    assert found <= {"orgs/a.py:f", "orgs/a.py:Task.f"} and found
    assert all(ways_past(code, site) for site in code.writes)


@pytest.mark.parametrize(
    "text", ["cache.delete('key')", "facts.update({'a': 1})", "cursor.execute('SELECT 1')"]
)
def test_what_is_no_write_is_left_in_peace(text: str):
    assert read({"orgs/a.py": f"def f():\n    {text}"}, {"groups"}).writes == set()
