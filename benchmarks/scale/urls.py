"""The portal's pages, and the changelist that they are measured beside."""

from django.contrib import admin
from django.urls import include, path

from orgs.models import Account


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """The list of accounts as one would make it: the same filters, search, order and page size.

    It shows no contacts, which the portal's list does.
    """

    list_display = ("name", "aws_id", "unit", "state")
    list_select_related = ("unit", "organization")
    list_filter = ("state", "organization")
    search_fields = ("name", "email", "aws_id", "contacts__name", "contacts__email")
    ordering = ("name", "aws_id")
    list_per_page = 25

    def get_queryset(self, request):
        """Without those that left, as the portal's list."""
        return super().get_queryset(request).filter(left_at=None)


urlpatterns = [path("admin/", admin.site.urls), path("", include("portal.urls"))]
