"""Addresses of the product's pages."""

from django.urls import path

from contacts.views import accounts, approvals, audit, changes, editing, export, overview

app_name = "contacts"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("accounts/", accounts.AccountList.as_view(), name="account_list"),
    path("accounts/export/", export.account_export, name="account_export"),
    path("accounts/<str:account_id>/", accounts.account_detail, name="account_detail"),
    path("accounts/<str:account_id>/cards/", accounts.account_cards, name="account_cards"),
    path("accounts/<str:account_id>/check/", accounts.account_check, name="account_check"),
    path("accounts/<str:account_id>/contacts/<str:contact_type>/", editing.contact_edit, name="contact_edit"),
    path(
        "accounts/<str:account_id>/contacts/<str:contact_type>/preview/",
        editing.contact_preview,
        name="contact_preview",
    ),
    path(
        "accounts/<str:account_id>/contacts/<str:contact_type>/copy/",
        editing.contact_copy,
        name="contact_copy",
    ),
    path(
        "accounts/<str:account_id>/contacts/<str:contact_type>/delete/",
        editing.contact_delete,
        name="contact_delete",
    ),
    path("changes/", changes.ChangeList.as_view(), name="change_list"),
    path("changes/<int:pk>/", changes.change_detail, name="change_detail"),
    path("changes/<int:pk>/live/", changes.change_live, name="change_live"),
    path("changes/<int:pk>/cancel/", changes.change_cancel, name="change_cancel"),
    path("approvals/", approvals.approval_list, name="approval_list"),
    path("approvals/rules/", approvals.approval_rules, name="approval_rules"),
    path("change-sets/<int:pk>/decide/", approvals.change_set_decide, name="change_set_decide"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("audit/export/", audit.audit_export, name="audit_export"),
    path("audit/<int:pk>/", audit.audit_detail, name="audit_detail"),
]
