"""Addresses of the pages about organizations and people."""

from django.urls import path

from orgs.views import grants, organizations, people, policies, trusted_access

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
    path("people/<int:pk>/access/", grants.grant_create, name="grant_create"),
    path("people/access/<int:pk>/end/", grants.grant_end, name="grant_end"),
    path("people/<int:pk>/password/", people.person_password, name="person_password"),
    path("people/<int:pk>/active/", people.person_active, name="person_active"),
    path("people/<int:pk>/former/", people.person_former, name="person_former"),
    path("profile/", people.profile, name="profile"),
]
