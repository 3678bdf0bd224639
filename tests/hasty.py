"""Workers that no pace holds back, for tests of something else: python -m tests.hasty is celery's command."""

from collections.abc import Callable
from typing import Any

from celery.__main__ import main

from portal import published_quotas
from portal.published_quotas import Quota

TIMES = 30


def widen_quotas(put: Callable[[dict, str, Any], None] = dict.__setitem__) -> None:
    """Let the portal call AWS far more often than AWS would bear."""
    quotas = published_quotas._ACCOUNT_MANAGEMENT
    for name, (rate, burst) in list(quotas.items()):
        put(quotas, name, Quota(rate * TIMES, burst * TIMES))


if __name__ == "__main__":
    widen_quotas()
    main()
