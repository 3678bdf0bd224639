"""Addresses of the pages about organizations and people."""

from django.urls import path

from orgs.views import finding, grants, groups, organizations, people, policies, sessions, trusted_access

app_name = "orgs"
urlpatterns = [
    path("organizations/", organizations.organization_list, name="organization_list"),
    path("organizations/connect/", organizations.organization_connect, name="organization_connect"),
    path("organizations/connect-account/", organizations.account_connect, name="account_connect"),
    path("organizations/<str:aws_id>/", organizations.organization_detail, name="organization_detail"),
    path("organizations/<str:aws_id>/live/", organizations.organization_live, name="organization_live"),
    path(
        "organizations/<str:aws_id>/reading/", organizations.organization_reading, name="organization_reading"
    ),
    path("organizations/<str:aws_id>/read/", organizations.organization_read, name="organization_read"),
    path("organizations/<str:aws_id>/checks/", organizations.organization_check, name="organization_check"),
    path("organizations/<str:aws_id>/policies/", policies.policy_list, name="policy_list"),
    path(
        "organizations/<str:aws_id>/policies/<slug:key>/",
        policies.policy_download,
        name="policy_download",
    ),
    path(
        "organizations/<str:aws_id>/trusted-access/",
        trusted_access.trusted_access,
        name="trusted_access",
    ),
    path(
        "organizations/<str:aws_id>/discovery/",
        organizations.organization_discover,
        name="organization_discover",
    ),
    path("people/", people.PersonList.as_view(), name="person_list"),
    path("people/new/", people.person_create, name="person_create"),
    path("people/<int:pk>/", people.person_detail, name="person_detail"),
    path("people/<int:pk>/details/", people.person_details, name="person_details"),
    path("people/access/", grants.GrantList.as_view(), name="grant_list"),
    path("people/access/export/", grants.grant_export, name="grant_export"),
    path("people/access/new/", grants.grant_create, name="grant_create"),
    path("people/access/<int:pk>/end/", grants.grant_end, name="grant_end"),
    path("people/find/<str:kind>/", finding.find, name="find"),
    path("people/groups/", groups.GroupList.as_view(), name="group_list"),
    path("people/groups/new/", groups.group_create, name="group_create"),
    path("people/groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("people/groups/<int:pk>/members/", groups.group_add, name="group_add"),
    path("people/groups/<int:pk>/members/<int:person_pk>/remove/", groups.group_remove, name="group_remove"),
    path("people/groups/<int:pk>/delete/", groups.group_delete, name="group_delete"),
    path("people/<int:pk>/password/", people.person_password, name="person_password"),
    path("people/<int:pk>/active/", people.person_active, name="person_active"),
    path("people/<int:pk>/sessions/", sessions.person_sessions, name="person_sessions"),
    path("people/<int:pk>/former/", people.person_former, name="person_former"),
    path("profile/", people.profile, name="profile"),
    path("profile/sessions/", sessions.session_list, name="session_list"),
    path("profile/sessions/<int:pk>/end/", sessions.session_end, name="session_end"),
    path("profile/sessions/end-others/", sessions.session_end_others, name="session_end_others"),
]
