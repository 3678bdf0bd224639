"""Pages of organizations: the list, one with its checks, and connecting."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.context import page_context
from orgs.access import Right, require, visible_to, whole_organizations_visible_to
from orgs.connecting import connect_account, connect_organization
from orgs.discovery import request_discovery
from orgs.forms import AccountForm, OrganizationForm
from orgs.models import Organization
from orgs.overview import live_part_of, reading_part_of, summaries
from orgs.preflight import request_checks
from orgs.reading import request_reading
from portal.aws import AwsError, Unavailable

STANDALONE_SHOWN = 25


@require_safe
def organization_list(request: HttpRequest) -> HttpResponse:
    """The organizations that the person sees whole, and their accounts that are in none."""
    require(request.user, Right.VIEW)
    standalone = visible_to(request.user).filter(organization=None)
    context = {
        "rows": summaries(whole_organizations_visible_to(request.user)),
        "standalone": standalone[:STANDALONE_SHOWN],
        "standalone_count": standalone.count(),
    }
    return render(request, "orgs/organization_list.html", context)


@require_safe
def organization_detail(request: HttpRequest, aws_id: str) -> HttpResponse:
    """One organization: facts, checks, discovery, reading, quota."""
    organization = _get(request, aws_id)
    context = live_part_of(organization) | reading_part_of(organization)
    return render(request, "orgs/organization_detail.html", context)


@require_safe
def organization_live(request: HttpRequest, aws_id: str) -> HttpResponse:
    """The part of the page that lives; it stops asking when the workers are done."""
    return render(request, "orgs/_organization_live.html", live_part_of(_get(request, aws_id)))


@require_safe
def organization_reading(request: HttpRequest, aws_id: str) -> HttpResponse:
    """How far the contacts are read and what of the quota is in use; asked for again and again."""
    return render(request, "orgs/_organization_reading.html", reading_part_of(_get(request, aws_id)))


@require_POST
def organization_read(request: HttpRequest, aws_id: str) -> HttpResponse:
    """Read all contacts of the organization now."""
    return _start(request, aws_id, request_reading, "All contacts are read from AWS now.")


@require_POST
def organization_check(request: HttpRequest, aws_id: str) -> HttpResponse:
    """Run the checks now."""
    return _start(request, aws_id, request_checks, "The checks run now. What they find appears here.")


@require_POST
def organization_discover(request: HttpRequest, aws_id: str) -> HttpResponse:
    """Discover now."""
    return _start(request, aws_id, request_discovery, "Accounts and units are read from AWS now.")


@require_http_methods(["GET", "POST"])
def organization_connect(request: HttpRequest) -> HttpResponse:
    """Connect an organization."""
    require(request.user, Right.CONNECT)
    form = OrganizationForm(request.POST or None)
    if form.is_valid():
        try:
            organization = connect_organization(**form.cleaned_data, context=page_context(request))
        except (ValidationError, AwsError) as error:
            form.refuse(error)
        else:
            messages.success(request, f"{organization} is connected. Its accounts are read from AWS now.")
            return redirect("orgs:organization_detail", organization.aws_id)
    return render(request, "orgs/organization_connect.html", {"form": form})


@require_http_methods(["GET", "POST"])
def account_connect(request: HttpRequest) -> HttpResponse:
    """Connect a standalone account."""
    require(request.user, Right.CONNECT)
    form = AccountForm(request.POST or None)
    if form.is_valid():
        try:
            account = connect_account(**form.cleaned_data, context=page_context(request))
        except (ValidationError, AwsError) as error:
            form.refuse(error)
        else:
            messages.success(request, f"Account {account.aws_id} is connected. Its contacts are read soon.")
            return redirect("contacts:account_detail", account.aws_id)
    return render(request, "orgs/account_connect.html", {"form": form})


def _get(request: HttpRequest, aws_id: str) -> Organization:
    return get_object_or_404(whole_organizations_visible_to(request.user), aws_id=aws_id)


def _start(request: HttpRequest, aws_id: str, function: Callable[..., object], done: str) -> HttpResponse:
    """Have a worker do it, and say so; or why nobody will."""
    try:
        function(_get(request, aws_id), context=page_context(request))
    except Unavailable as error:
        messages.error(request, f"{error.cause.label} {error.cause.remedy}")
    else:
        messages.info(request, done)
    return redirect("orgs:organization_detail", aws_id)
