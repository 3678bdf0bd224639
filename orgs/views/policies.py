"""Pages of policies: those to paste, and one to take away."""

import re

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from audit.context import page_context
from orgs import policies, policy_kit
from orgs.access import Right, require_in, units_visible_to, whole_organizations_visible_to
from orgs.forms_policies import PolicyForm
from orgs.models import Organization
from orgs.policies import Document, Needs


@require_safe
def policy_list(request: HttpRequest, aws_id: str) -> HttpResponse:
    """All policies for what is chosen in the address."""
    organization = _get(request, aws_id)
    form, needs = _chosen(request, organization)
    context = {
        "organization": organization,
        "form": form,
        "documents": policies.documents(needs) if needs else [],
        "query": f"?{request.GET.urlencode()}" if request.GET else "",
        "hides_trust": bool(needs and _has_roles(needs) and not needs.external_id),
        "lacks_base": bool(needs and _has_roles(needs) and needs.external_id and not needs.base),
    }
    return render(request, "orgs/policy_list.html", context, status=200 if needs else 422)


@require_safe
def policy_download(request: HttpRequest, aws_id: str, key: str) -> HttpResponse:
    """One of them as a file."""
    organization = _get(request, aws_id)
    _, needs = _chosen(request, organization)
    document = _named(key, policies.documents(needs) if needs else [])
    name = re.sub(r"[^\w-]", "-", f"{organization.aws_id}-{document.key}")
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return HttpResponse(document.text + "\n", content_type="application/json", headers=headers)


def _get(request: HttpRequest, aws_id: str) -> Organization:
    return get_object_or_404(whole_organizations_visible_to(request.user), aws_id=aws_id)


def _chosen(request: HttpRequest, organization: Organization) -> tuple[PolicyForm, Needs | None]:
    """The form, and what the portal needs for it; None where the choices make no sense."""
    units = units_visible_to(request.user).filter(organization=organization)
    form = PolicyForm(request.GET or None, units=units)
    if form.is_bound and not form.is_valid():
        return form, None
    needs = policy_kit.needs_of(organization, **(form.wanted() if form.is_bound else {}))
    return form, needs if _may_connect(request) else policy_kit.without_external_id(needs)


def _may_connect(request: HttpRequest) -> bool:
    try:
        require_in(page_context(request), Right.CONNECT)
    except PermissionDenied:
        return False
    return True


def _has_roles(needs: Needs) -> bool:
    return bool(needs.role_arn or needs.management_role)


def _named(key: str, documents: list[Document]) -> Document:
    found = next((document for document in documents if document.key == key), None)
    if found is None:
        raise Http404("There is no such policy.")
    return found
