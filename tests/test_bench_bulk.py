"""The benchmark of bulk changes says what was reached, and says it where it was not."""

from dataclasses import replace

from benchmarks.bulk.figures import Figures, Runs
from benchmarks.bulk.pages import Looks, Pages
from benchmarks.bulk.report import bulk_report

LOOKS = Looks([0.1, 0.2], [0.1, 0.3])
GOOD = Figures(
    database="SQLite",
    plan=Runs([2.0, 9.0, 2.5], [2.0, 2.1, 2.2], 80),
    plan_large=Runs([12.0], [11.0], 90),
    plan_sheet=Runs([4.0], [4.0], 85),
    plan_large_sheet=Runs([20.0], [19.0], 95),
    peers={"plain": Runs([25.0], [24.0], 150), "loading": Runs([11.0], [10.0], 230)},
    peer_version="4.4.3",
    queue=Runs([5.0], [4.0], 0),
    pages=Pages(LOOKS, LOOKS, LOOKS, upload=14.0),
)


def test_what_was_reached_is_judged_by_the_run_in_the_middle():
    text = bulk_report(0.5, [GOOD])

    assert "MISSED" not in text
    assert "as its documentation advises (10.0): reached" in text
    assert "django-import-export 4.4.3" in text


def test_each_limit_that_was_not_held_is_named():
    slow = replace(
        GOOD,
        plan=Runs([3.1], [3.0], 50),
        peers=GOOD.peers | {"plain": Runs([15.0], [14.0], 150)},
        queue=Runs([5.1], [5.0], 0),
    )
    assert bulk_report(0.5, [GOOD, slow]).count("MISSED") == 4
