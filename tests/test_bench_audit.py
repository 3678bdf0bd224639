"""The benchmark of the audit says what was reached, and says it where it was not."""

from dataclasses import replace

import pytest

from benchmarks.audit.figures import Export, Figures, Look, Writers
from benchmarks.audit.report import audit_report

GOOD = Figures(
    server="18.6",
    events=5_000_000,
    seconds={"filling": 200.0, "indexing": 100.0},
    mib={"events": 2700, "indexes": 2300, "seals": 1000},
    looks=[
        Look("everything", "10,000+ events", 0.3, 0.01, 0.002, 0.05),
        Look("a ticket", "1 event", 2, 1, 0.1, 1),
    ],
    verifying=80.0,
    bare={"select": 20.0, "copy": 10.0},
    writers={
        "sealed": Writers([800.0, 100.0, 2_000.0], 1.0),
        "unsealed": Writers([1000.0, 1000.0]),
        "peer": Writers([800.0]),
    },
    peer_version="3.4.1",
    exports=[
        Export("jsonl", 100_000, 80, 5, 100),
        Export("jsonl", 1_000_000, 800, 50, 120),
        Export("csv", 100_001, 60, 5, 100),
        Export("csv", 1_000_001, 600, 50, 100),
        Export("bare", 100_000, 50, 1, 80),
        Export("bare", 1_000_000, 500, 10, 80),
    ],
)


def test_what_was_reached_is_judged_by_the_round_in_the_middle():
    text = audit_report(0.5, GOOD)

    assert "MISSED" not in text
    assert "verification at most 4 times the bare SELECT (4.0): reached" in text
    assert "at least 80% of the writers without seals (80%): reached" in text
    assert "PostgreSQL 18.6" in text
    assert "django-auditlog 3.4.1" in text


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({"looks": [replace(GOOD.looks[0], finding=1.01)]}, "“everything” 1.01): MISSED"),
        ({"verifying": 80.1}, "bare SELECT (4.0): MISSED"),
        ({"writers": GOOD.writers | {"unsealed": Writers([1001.0])}}, "without seals (80%): MISSED"),
        ({"writers": GOOD.writers | {"sealed": Writers([800.0], 1.01)}}, "without a seal (1.01): MISSED"),
        (
            {"exports": [*GOOD.exports[:3], replace(GOOD.exports[3], peak_mib=121), *GOOD.exports[4:]]},
            "(1.21): MISSED",
        ),
    ],
)
def test_each_limit_that_was_not_held_is_named(worse, missed):
    text = audit_report(0.5, replace(GOOD, **worse))
    assert missed in text
    assert text.count("MISSED") == 1
