"""Proves that no audit event was changed, removed, swapped or slipped in."""

import argparse
import dataclasses
from datetime import UTC, datetime
from typing import Any

from audit import triggers
from audit.models import AuditSeal
from audit.seals import Fault, Verdict, verify
from portal.commands import PortalCommand, add_json, failed

TRIGGERS_MISSING = "The triggers that keep the audit append-only do not stand. Run `manage.py migrate`."


def moment(text: str) -> datetime:
    """An ISO date or time; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"“{text}” is no ISO time. Write 2026-11-23 or 2026-11-23T14:00:00Z."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Command(PortalCommand):
    uses_redis = False
    help = (
        "Compares every audit event with its seal and every seal with the one before. Writes nothing. "
        "Exit code 0: all is as it was written; 1: the first bad event is named, or the triggers are missing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=moment, metavar="TIME", help="Start at the first event of this ISO date or time."
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        verdict = self._verify(options["since"])
        stand = triggers.standing()
        facts = {"ok": verdict.ok and stand, "triggers_stand": stand, **dataclasses.asdict(verdict)}
        self.answer(options, facts, summary(verdict))
        if verdict.first_bad:
            raise failed(sentence(verdict.first_bad))
        if not stand:
            raise failed(TRIGGERS_MISSING)

    def _verify(self, since: datetime | None) -> Verdict:
        seals = AuditSeal.objects.filter(event__at__gte=since) if since else AuditSeal.objects
        with self.progress("Verifying", seals.count()) as progress:
            return verify(since, on_progress=progress.step)


def summary(verdict: Verdict) -> str:
    """What was compared, and the head of the chain to keep elsewhere."""
    return (
        f"{verdict.checked:,} events verified, {verdict.unsealed:,} too young to have a seal. "
        f"Head of the chain: {verdict.head.seq} {verdict.head.hash}"
    )


def sentence(fault: Fault) -> str:
    """The first bad event, and what is wrong with it."""
    event = f"Event {fault.event_id}" if fault.event_id else "An event that is gone"
    seal = f" (seal {fault.seq})" if fault.seq else ""
    return f"First bad event: {event}{seal}. {fault.reason}"
