"""/healthz for load balancers and containers: do the database and Redis answer?"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from portal.services import database_problem, redis_problem

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """Answers /healthz before all else: a probe knows no host name, no HTTPS and no password."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return health()
        return self.get_response(request)


def health() -> JsonResponse:
    """200 when all answer, else 503; the causes go to the log, because anybody may ask."""
    problems = {"database": database_problem(), "redis": redis_problem(settings.REDIS_URL)}
    for problem in filter(None, problems.values()):
        logger.error(problem)
    words = {name: "does not answer" if problem else "ok" for name, problem in problems.items()}
    return JsonResponse(
        words, status=503 if any(problems.values()) else 200, headers={"Cache-Control": "no-store"}
    )
