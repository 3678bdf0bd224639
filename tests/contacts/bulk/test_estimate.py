"""How long a change set takes: AWS's published rates, as we use them, and how it is said."""

import pytest

from contacts.bulk.estimate import seconds_for, time_to_run, time_to_undo
from contacts.models import ChangeSet
from portal.durations import about


def effort(reads: int, puts: int, deletes: int = 0) -> dict[str, int]:
    return {"reads": reads, "puts": puts, "deletes": deletes}


@pytest.mark.parametrize(
    "run,seconds",
    [
        ({}, 0),
        ({"aws:1": effort(100, 0)}, 100 / 7.96),
        ({"aws:1": effort(100, 100)}, 100 / 3.98),
        ({"aws:1": effort(100, 60, 40)}, 40 / 0.796),
        ({"aws-cn:1": effort(100, 100)}, 100 / 0.796),
        ({"aws:1": effort(100, 100), "aws:2": effort(200, 200), "aws:3": effort(7, 7)}, 200 / 3.98),
    ],
)
def test_the_slowest_operation_of_the_slowest_caller_counts(settings, run, seconds):
    settings.AWS_QUOTA_SHARE = 0.8
    assert seconds_for(run) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "run,said",
    [
        ({}, "no time"),
        ({"aws:1": effort(100, 100)}, "about 30 seconds"),
        ({"aws:1": effort(1, 0, 1)}, "about 2 seconds, with 1 deletion at 0.8 a second"),
        (
            {"aws:1": effort(900, 100, 800), "aws-cn:1": effort(400, 0, 400)},
            "about 17 minutes, with 1,200 deletions at 0.8 a second",
        ),
    ],
)
def test_deletions_are_told_for_they_are_scarce(settings, run, said):
    settings.AWS_QUOTA_SHARE = 0.8
    assert time_to_run(ChangeSet(effort={"run": run, "undo": {}})) == said
    assert time_to_undo(ChangeSet(effort={"run": {}, "undo": run})) == said


def test_a_draft_that_is_being_planned_has_no_time_yet():
    assert (time_to_run(ChangeSet()), time_to_undo(ChangeSet())) == ("no time", "no time")


@pytest.mark.parametrize(
    "seconds,said",
    [
        (0, "no time"),
        (0.2, "about 1 second"),
        (10, "about 10 seconds"),
        (31.2, "about 35 seconds"),
        (90, "about 90 seconds"),
        (91, "about 2 minutes"),
        (3600, "about 1 hour"),
        (3601, "about 1 hour 10 minutes"),
        (2 * 3600 + 5 * 60, "about 2 hours 10 minutes"),
        (14 * 3600, "about 14 hours"),
    ],
)
def test_a_time_is_said_roundly(seconds, said):
    assert about(seconds) == said
