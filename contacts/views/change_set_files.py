"""Files of a change set: its report, and the lines that it refused."""

from django.core.exceptions import BadRequest
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from audit.context import page_context
from contacts.bulk.report import FORMATS, export_errors, export_report
from contacts.finding import get_change_set_for


@require_safe
def change_set_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every line with what was planned and what became of it."""
    change_set = get_change_set_for(request.user, pk)
    file_format = request.GET.get("format", "csv")
    if file_format not in FORMATS:
        raise BadRequest("The format is csv, xlsx or json.")
    content = export_report(change_set, file_format=file_format, context=page_context(request))
    name, content_type = f"change-set-{pk}.{file_format}", FORMATS[file_format]
    if file_format == "xlsx":
        return FileResponse(content, as_attachment=True, filename=name, content_type=content_type)
    return StreamingHttpResponse(content, content_type=content_type, headers=_as_file(name))


@require_safe
def change_set_errors(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The refused lines, each with all that is wrong with it."""
    change_set = get_change_set_for(request.user, pk)
    headers = _as_file(f"change-set-{pk}-refused.csv")
    lines = export_errors(change_set, context=page_context(request))
    return StreamingHttpResponse(lines, content_type=FORMATS["csv"], headers=headers)


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
