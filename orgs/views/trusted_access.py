"""The page on which an administrator lets the portal switch trusted access on."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from audit.context import page_context
from orgs import mends, policies, policy_kit
from orgs.access import Right, require_in, whole_organizations_visible_to
from orgs.forms_trusted_access import ReasonForm
from orgs.mends import Case
from orgs.models import Organization
from orgs.trusted_access import can_enable, enable_trusted_access
from orgs.waking import PREFLIGHT, wake
from portal.aws import AwsError
from portal.causes import Cause
from portal.confirming import confirmed


@require_http_methods(["GET", "POST"])
@confirmed
def trusted_access(request: HttpRequest, aws_id: str) -> HttpResponse:
    """Say what it means and what it takes; a POST does it."""
    organization = get_object_or_404(whole_organizations_visible_to(request.user), aws_id=aws_id)
    require_in(page_context(request), Right.CONNECT)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _enable(request, organization, form):
        messages.success(request, "Trusted access is on: AWS said so when it was read again.")
        return redirect("orgs:organization_detail", organization.aws_id)
    context = {
        "organization": organization,
        "form": form,
        "can": can_enable(organization),
        "statement": policies.text_of(policies.enabling_trusted_access()),
        "mend": mends.mend_for(Cause.TRUSTED_ACCESS_OFF, Case(needs=policy_kit.needs_of(organization))),
    }
    return render(request, "orgs/trusted_access.html", context, status=422 if form.errors else 200)


def _enable(request: HttpRequest, organization: Organization, form: ReasonForm) -> bool:
    """Whether AWS did it; else the form says why not."""
    context = page_context(request, reason=form.cleaned_data["reason"])
    try:
        enable_trusted_access(organization, context=context)
    except (ValidationError, AwsError) as error:
        form.refuse(error)
        return False
    wake(PREFLIGHT, organization)
    return True
