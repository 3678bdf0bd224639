"""The export of the account list."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from audit.context import page_context
from contacts.exporting import FORMATS, export_contacts
from contacts.filters import AccountFilter
from contacts.views.lists import filtered, filters_in
from orgs.access import visible_to


@require_safe
def account_export(request: HttpRequest) -> StreamingHttpResponse:
    """The contacts of all accounts that the list with this URL shows, on all its pages."""
    file_format = request.GET.get("format", "csv")
    if file_format not in FORMATS:
        raise BadRequest("The format is csv or json.")
    accounts = filtered(AccountFilter, request, visible_to(request.user))
    filters = filters_in(request.GET)
    export = export_contacts(
        accounts, file_format=file_format, filters=filters, context=page_context(request)
    )
    headers = {"Content-Disposition": f'attachment; filename="contacts.{file_format}"'}
    return StreamingHttpResponse(export.lines, content_type=export.content_type, headers=headers)
