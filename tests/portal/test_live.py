"""The stage of end-to-end tests: real processes on the database of the test run."""

from tests.live import answers, wait_until


def test_processes_start_and_see_the_database_of_the_test(live_portal, alice, client):
    portal = live_portal()
    portal.start()
    assert answers(f"{portal.url}/healthz")
    assert (
        alice.username
        in portal.run_command(
            "shell",
            "--no-imports",
            "-c",
            "from portal.models import User; print(*User.objects.values_list('username'))",
        ).stdout
    )


def test_a_worker_is_killed_and_comes_back(live_portal):
    portal = live_portal()
    portal.start("people")
    portal.kill_worker()
    assert not portal.is_running("people")
    portal.start("people")
    wait_until(lambda: portal.log("people").count(" ready.") == 2, "the worker is back")
