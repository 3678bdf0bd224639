"""Addresses of the product's pages."""

from django.urls import path

from contacts.views import (
    accounts,
    approvals,
    audit,
    bulk,
    change_set_actions,
    change_set_files,
    change_sets,
    changes,
    editing,
    export,
    overview,
)

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
    path("bulk/", bulk.bulk_start, name="bulk_start"),
    path("bulk/file/", bulk.bulk_file, name="bulk_file"),
    path("bulk/template/", bulk.bulk_template, name="bulk_template"),
    path("bulk/set/", bulk.bulk_set, name="bulk_set"),
    path("bulk/replace/", bulk.bulk_replace, name="bulk_replace"),
    path("bulk/copy/", bulk.bulk_copy, name="bulk_copy"),
    path("bulk/delete/", bulk.bulk_delete, name="bulk_delete"),
    path("changes/", changes.ChangeList.as_view(), name="change_list"),
    path("changes/<int:pk>/", changes.change_detail, name="change_detail"),
    path("changes/<int:pk>/live/", changes.change_live, name="change_live"),
    path("changes/<int:pk>/cancel/", changes.change_cancel, name="change_cancel"),
    path("changes/<int:pk>/roll-back/", change_set_actions.change_roll_back, name="change_roll_back"),
    path("change-sets/", change_sets.ChangeSetList.as_view(), name="change_set_list"),
    path("change-sets/<int:pk>/", change_sets.change_set_detail, name="change_set_detail"),
    path("change-sets/<int:pk>/live/", change_sets.change_set_live, name="change_set_live"),
    path("change-sets/<int:pk>/submit/", change_set_actions.change_set_submit, name="change_set_submit"),
    path(
        "change-sets/<int:pk>/withdraw/", change_set_actions.change_set_withdraw, name="change_set_withdraw"
    ),
    path("change-sets/<int:pk>/pause/", change_set_actions.change_set_pause, name="change_set_pause"),
    path("change-sets/<int:pk>/resume/", change_set_actions.change_set_resume, name="change_set_resume"),
    path("change-sets/<int:pk>/cancel/", change_set_actions.change_set_cancel, name="change_set_cancel"),
    path("approvals/", approvals.approval_list, name="approval_list"),
    path("approvals/rules/", approvals.approval_rules, name="approval_rules"),
    path("change-sets/<int:pk>/choose/", change_set_actions.change_set_choose, name="change_set_choose"),
    path("change-sets/<int:pk>/export/", change_set_files.change_set_export, name="change_set_export"),
    path("change-sets/<int:pk>/errors/", change_set_files.change_set_errors, name="change_set_errors"),
    path("change-sets/<int:pk>/retry/", change_set_actions.change_set_retry, name="change_set_retry"),
    path(
        "change-sets/<int:pk>/roll-back/",
        change_set_actions.change_set_roll_back,
        name="change_set_roll_back",
    ),
    path("change-sets/<int:pk>/decide/", approvals.change_set_decide, name="change_set_decide"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("audit/export/", audit.audit_export, name="audit_export"),
    path("audit/<int:pk>/", audit.audit_detail, name="audit_detail"),
]
