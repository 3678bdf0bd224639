"""Pages that are found by id: what the URL says of where somebody is, and the ways to the pages beside it."""

from django.http import HttpRequest, QueryDict

from contacts.filter_bar import query_with


def pk_in(request: HttpRequest, name: str) -> int | None:
    """The id that the URL names so; None where it names none."""
    return pk_of(request.GET.get(name, ""))


def pk_of(text: str) -> int | None:
    """The id that a form or an address sends; None for what no database could hold."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def beside(query: QueryDict, name: str, pk: int | None) -> str:
    """The query string of the page beside this one, or nothing."""
    return "" if pk is None else query_with(query, {name: str(pk)})
