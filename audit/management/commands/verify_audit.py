"""Proves that no audit event was changed, removed, swapped or slipped in, and keeps what it found."""

import argparse
import dataclasses
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction

from audit import triggers
from audit.anchors import Anchor, NotAnchors, kept_anchors, read_anchors
from audit.models import AuditSeal
from audit.verification import Verdict, keep, sentence, verify
from portal.commands import PortalCommand, add_json, failed, wrong_usage


def moment(text: str) -> datetime:
    """An ISO date or time; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"“{text}” is no ISO time. Write 2026-11-23 or 2026-11-23T14:00:00Z."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def count(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"“{text}” is no number of processes. Write 0 to 1000.")
    return int(text)


class Command(PortalCommand):
    uses_redis = False
    help = (
        "Compares every audit event with its seal, every seal with the one before, and the chain with the "
        "anchors that were kept outside the database. Exit code 0: all is as it was written; 1: the first "
        "bad event, or the two anchors, are named, or the triggers are missing; 2: wrong usage."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=moment, metavar="TIME", help="Start at the first event of this ISO date or time."
        )
        parser.add_argument(
            "--anchors",
            metavar="FILE",
            help="Anchors to hold the chain against, in place of the portal’s own.",
        )
        parser.add_argument(
            "--processes",
            type=count,
            default=os.cpu_count() or 1,
            metavar="N",
            help="How many processes share a long chain. Usual: one for each core; 0: this one does it all.",
        )
        add_json(parser)

    def work(self, options: dict[str, Any]) -> None:
        verdict = self._verify(options)
        stand = triggers.standing()
        problem = "" if stand else triggers.MISSING
        if not options["since"] or verdict.first_bad:  # that a part is whole says nothing of the rest
            self._keep(verdict, problem)
        facts = {"ok": verdict.ok and stand, "triggers_stand": stand, **dataclasses.asdict(verdict)}
        self.answer(options, facts, summary(verdict))
        if verdict.first_bad:
            raise failed(sentence(verdict.first_bad))
        if problem:
            raise failed(problem)

    def _verify(self, options: dict[str, Any]) -> Verdict:
        since = options["since"]
        seals = AuditSeal.objects.filter(event__at__gte=since) if since else AuditSeal.objects
        try:
            with self.progress("Verifying", seals.count()) as progress:
                return verify(
                    since,
                    anchors=anchors_of(options["anchors"]),
                    processes=options["processes"],
                    on_progress=progress.step,
                )
        except NotAnchors as error:
            raise wrong_usage(str(error)) from error
        except OSError as error:
            raise wrong_usage(f"The anchors cannot be read: {error.strerror}: {error.filename}") from error

    def _keep(self, verdict: Verdict, problem: str) -> None:
        """Who verifies may be somebody who can only read."""
        try:
            with transaction.atomic():
                keep(verdict, problem)
        except DatabaseError:
            self.stderr.write("The result could not be written down for the pages of the portal.", str)


def anchors_of(path: str | None) -> Iterator[Anchor] | None:
    """Those of the file, or the portal's own."""
    return kept_anchors() if path is None else read_anchors(Path(path))


def summary(verdict: Verdict) -> str:
    """What was compared, and the head of the chain to keep elsewhere."""
    anchors = "" if verdict.anchors is None else f"{verdict.anchors:,} anchors held against the chain. "
    return (
        f"{verdict.checked:,} events verified, {verdict.unsealed:,} too young to have a seal. {anchors}"
        f"Head of the chain: {verdict.head.seq} {verdict.head.hash}"
    )
