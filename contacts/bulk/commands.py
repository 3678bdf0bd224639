"""What the commands of change sets share: ask as a person, send the plan, stay until the run has ended."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError

from audit.context import Context, command_context
from audit.log import record
from audit.models import Action
from contacts import change_sets
from contacts.bulk import run
from contacts.bulk.telling import address_of, end_lines, facts_of, many
from contacts.delivery import deliver_one, due_changes
from contacts.models import ChangeSet, SetStatus
from portal import quota
from portal.causes import Cause
from portal.commands import INTERRUPTED, PortalCommand, Progress, add_json, add_person, failed, person_of

LOOK_EVERY = 0.2  # seconds


class ChangeSetCommand(PortalCommand):
    """A command that plans as a person; exit 0 only when all that was asked for is done, or on its way."""

    name = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_person(parser)
        parser.add_argument("--reason", required=True, help="Why. The audit keeps it.")
        parser.add_argument("--ticket", default="", help="A ticket number, optional.")
        parser.add_argument(
            "--wait",
            type=float,
            metavar="SECONDS",
            help="Stay until the run has ended, at most so long. Works without a worker.",
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        person = person_of(options)
        context = command_context(person, reason=options["reason"], ticket=options["ticket"])
        try:
            self.act(options, context)
        except PermissionDenied:
            record(Action.ACCESS_REFUSED, context, detail={"command": self.name})
            raise

    def act(self, options: dict[str, Any], context: Context) -> None:
        """Plan, and send what is to be sent."""
        raise NotImplementedError

    def say(self, options: dict[str, Any], *lines: str) -> None:
        """Words that come before the answer; programs get one object at the end instead."""
        if not options["json"]:
            self.stdout.write("\n".join(lines))

    def discard(self, options: dict[str, Any], change_set: ChangeSet, why: str) -> None:
        """Answer with a plan that is not kept."""
        facts = facts_of(change_set)
        change_sets.drop_draft(change_set)
        self.answer(options, facts | {"status": SetStatus.DISCARDED}, why)

    def send(
        self, options: dict[str, Any], change_set: ChangeSet, context: Context, *, without_refused: bool
    ) -> None:
        """Submit the plan, stay as long as --wait says, and answer. Exit 1 where more is to be done."""
        try:
            change_set = _submit(change_set, context, without_refused)
            if options["wait"] is not None and change_set.is_under_way:
                self._stay(change_set, options["wait"])
        except KeyboardInterrupt as error:
            raise CommandError(_interrupted(change_set), returncode=INTERRUPTED) from error
        self._tell(options, change_set)

    def _tell(self, options: dict[str, Any], change_set: ChangeSet) -> None:
        facts = facts_of(change_set)
        if change_set.status == SetStatus.WAITING:
            why = " and ".join(change_set.needs_approval)
            self.answer(options, facts, "Nothing was sent yet: somebody has to approve it.")
            raise failed(f"Needs approval, because {why}. See {address_of(change_set)}")
        if options["wait"] is None:
            words = (
                f"{many(change_set.writes, 'contact', 'is', 'are')} on the way. See {address_of(change_set)}"
            )
            self.answer(options, facts, words)
            return
        self.answer(options, facts, "\n".join(end_lines(change_set)))
        if change_set.status != SetStatus.FINISHED:
            raise failed(f"It has not ended yet. See {address_of(change_set)}")
        if facts["not_done"]:
            raise failed(f"{many(len(facts['not_done']), 'contact', 'is', 'are')} not as asked for.")

    def _stay(self, change_set: ChangeSet, seconds: float) -> None:
        total = change_set.writes + change_set.counts.get("unchanged", 0)
        with self.progress("Changes", total) as bar:
            _bring_to_its_end(change_set, seconds, bar)


def _interrupted(change_set: ChangeSet) -> str:
    """What becomes of the run when its command ends early."""
    change_sets.drop_draft(change_set)  # in case it was not submitted yet
    change_set.refresh_from_db(fields=["status"])
    if change_set.is_under_way:
        return f"Interrupted. The workers go on with the run; stop it at {address_of(change_set)}"
    return f"Interrupted. Change set {change_set.pk}: {change_set.get_status_display().lower()}."


def _submit(change_set: ChangeSet, context: Context, without_refused: bool) -> ChangeSet:
    """A plan that cannot be submitted is not kept: nobody asked for a draft."""
    try:
        return change_sets.submit(
            change_set, context=context, plan_hash=change_set.plan_hash, without_refused=without_refused
        )
    except (ValidationError, PermissionDenied):
        change_sets.drop_draft(change_set)
        raise


def _bring_to_its_end(change_set: ChangeSet, seconds: float, bar: Progress) -> None:
    """Prepare and deliver here what no worker does, and look until the run has ended."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        change_set.refresh_from_db(fields=["status"])
        if not change_set.is_under_way:
            break
        if change_set.status in (SetStatus.PREPARING, SetStatus.CANCELLING):
            run.advance(change_set.pk)
        if _deliver_next(change_set):
            bar.step()
        elif not run.finish_if_ended(change_set.pk):
            time.sleep(LOOK_EVERY)
    change_set.refresh_from_db()


def _deliver_next(change_set: ChangeSet) -> bool:
    """Workers begin at the front of the set, so this begins at its end: nobody spends tokens twice."""
    change = due_changes().filter(change_set=change_set).order_by("-pk").first()
    if change is None:
        return False
    try:
        deliver_one(change)
    except quota.NoToken:
        return False
    except quota.QuotaUnavailable as error:
        raise failed(f"{Cause.NO_QUOTA.label} {Cause.NO_QUOTA.remedy}") from error
    return True
