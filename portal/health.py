"""/healthz for load balancers: do the database and Redis answer? Alarms have paths of their own."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.module_loading import import_string

from portal.services import database_problem, redis_problem

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers /healthz before all else: a probe knows no host name, no HTTPS and no password."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return health()
        if request.path_info in settings.HEALTH_ALARMS:
            return alarm(settings.HEALTH_ALARMS[request.path_info])
        return self.get_response(request)


def health() -> JsonResponse:
    """200 when all answer, else 503; the causes go to the log, because anybody may ask."""
    problems = {"database": database_problem(), "redis": redis_problem(settings.REDIS_URL)}
    for problem in filter(None, problems.values()):
        logger.error(problem)
    return _answer({name: problem and "does not answer" for name, problem in problems.items()})


def alarm(name: str) -> JsonResponse:
    """200 while the function of this dotted name finds no problem, else 503 with what it says.

    For monitoring alone: no process gets well by being ended for it.
    """
    problems = {"database": database_problem() and "does not answer"}
    if not problems["database"]:
        problems = {name.rpartition(".")[2].removesuffix("_problem"): import_string(name)()}
    return _answer(problems)


def _answer(problems: dict[str, str]) -> JsonResponse:
    words = {name: problem or "ok" for name, problem in problems.items()}
    status = 503 if any(problems.values()) else 200
    return JsonResponse(words, status=status, headers={"Cache-Control": "no-store"})
