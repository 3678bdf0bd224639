"""The first page: coverage by type and unit, what needs somebody, and links that lead to just those rows."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.context import Source
from contacts.mirror import ensure_contacts
from contacts.models import AlternateContact, ChangeStatus, ContactChange, ContactStatus, ContactType
from orgs.models import Account, Organization, OrganizationalUnit, Standing
from portal.causes import Cause

URL = "/"


@pytest.fixture
def organization(db) -> Organization:
    """Workloads with Prod below it, Sandbox, and one account in the root."""
    organization = Organization.objects.create(
        aws_id="o-example1234",
        name="Northwind",
        management_account_id="100000000000",
        caller_account_id="100000000000",
        standing=Standing.MANAGEMENT,
    )
    root = unit(organization, "Root", "r-ab12/", None)
    workloads = unit(organization, "Workloads", "r-ab12/ou-ab12-work/", root)
    prod = unit(organization, "Prod", "r-ab12/ou-ab12-work/ou-ab12-prod/", workloads)
    sandbox = unit(organization, "Sandbox", "r-ab12/ou-ab12-sand/", root)
    for number, place in enumerate([root, workloads, prod, prod, sandbox]):
        account(f"{100000000000 + number}", organization=organization, unit=place)
    return organization


def unit(organization: Organization, name: str, path: str, parent: OrganizationalUnit | None):
    aws_id = path.strip("/").split("/")[-1]
    return OrganizationalUnit.objects.create(
        organization=organization, aws_id=aws_id, name=name, path=path, parent=parent
    )


def account(aws_id: str, **facts) -> Account:
    one = Account.objects.create(aws_id=aws_id, name=f"app-{aws_id}", state="ACTIVE", **facts)
    ensure_contacts([one])
    return one


def mirror(contact_type: str, status: str, *aws_ids: str, problem: str = "") -> None:
    """Put the mirror into a state, as reading AWS would."""
    contacts = AlternateContact.objects.filter(contact_type=contact_type)
    if aws_ids:
        contacts = contacts.filter(account__aws_id__in=aws_ids)
    value = {"name": "A", "title": "B", "email": "c@example.com", "phone": "+1 555 0100"}
    empty = dict.fromkeys(value, "")
    contacts.update(status=status, problem=problem, **(value if status == "set" else empty))


def change(contact: AlternateContact, person, status: str, **facts) -> ContactChange:
    return ContactChange.objects.create(
        contact=contact,
        caller_key="aws:100000000000",
        status=status,
        wanted=None,
        before={"status": "absent"},
        seen_version=0,
        requested_by=person,
        requested_at=timezone.now(),
        source=Source.PAGE,
        reason="Rota",
        request_id="r",
        **facts,
    )


def page(client: Client, person) -> str:
    client.force_login(person)
    response = client.get(URL)
    assert response.status_code == 200
    return response.content.decode()


def link(text: str, label: str) -> str:
    """The address of the link with this accessible name."""
    found = re.search(rf'href="([^"]+)" aria-label="{re.escape(label)}"', text)
    assert found, label
    return found[1].replace("&amp;", "&")


def accounts_at(client: Client, url: str) -> set[str]:
    return set(re.findall(r'data-copy="(\d{12})"', client.get(url).content.decode()))


def test_a_unit_counts_what_is_below_it_and_unknown_is_not_absent(client, bob, organization):
    mirror("SECURITY", ContactStatus.SET, "100000000002")
    mirror("SECURITY", ContactStatus.ABSENT, "100000000003")
    mirror("SECURITY", ContactStatus.UNKNOWN, "100000000001", problem=Cause.SCP_DENIES)
    text = page(client, bob)
    assert link(text, "Workloads, Security: 1 set, 1 not set, 1 unknown")
    assert link(text, "Prod, Security: 1 set, 1 not set, 0 unknown")
    assert link(text, "Northwind, Security: 1 set, 1 not set, 3 unknown")


def test_a_number_leads_to_its_list(client, bob, organization):
    mirror("BILLING", ContactStatus.SET)
    mirror("BILLING", ContactStatus.ABSENT, "100000000003")
    text = page(client, bob)
    assert accounts_at(client, link(text, "Prod, Billing: 1 set, 1 not set, 0 unknown")) == {"100000000003"}
    assert accounts_at(client, link(text, "Billing: 80 percent set")) == {"100000000003"}
    assert "unit=ou-ab12-sand&type=BILLING&contact=set" in link(
        text, "Sandbox, Billing: 1 set, 0 not set, 0 unknown"
    )


def test_standalone_accounts_have_a_row_and_left_accounts_none(client, bob, organization):
    account("200000000001")
    account("200000000002", left_at=timezone.now())
    mirror("BILLING", ContactStatus.SET)
    text = page(client, bob)
    assert "6 accounts in 1 organization, 1 standalone." in text
    url = link(text, "Standalone, Billing: 1 set, 0 not set, 0 unknown")
    assert accounts_at(client, url) == {"200000000001"}


def test_a_unit_that_was_not_read_does_not_look_like_one_without_contacts(client, bob, organization):
    mirror("BILLING", ContactStatus.ABSENT, "100000000004")
    text = page(client, bob)
    cell = re.compile(r'<td class="heat-cell heat-(\w+)">\s*<a [^>]*aria-label="(Prod|Sandbox), Billing: ')
    assert {unit: heat for heat, unit in cell.findall(text)} == {"Prod": "unknown", "Sandbox": "4"}


def test_a_percentage_is_hundred_only_when_all_are_set(client, bob, organization):
    for number in range(300):
        account(f"{300000000000 + number}", organization=organization)
    mirror("BILLING", ContactStatus.SET)
    mirror("BILLING", ContactStatus.ABSENT, "300000000007")
    assert "Billing: 99 percent set" in page(client, bob)


def test_what_ended_badly_needs_attention_until_a_later_change_was_asked_for(
    client, bob, alice, organization
):
    contacts = list(AlternateContact.objects.filter(contact_type="SECURITY"))
    change(contacts[0], alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    change(contacts[1], alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    change(contacts[2], alice, ChangeStatus.CONFLICT)
    text = page(client, bob)
    assert "2 changes failed" in text
    assert "An IAM policy does not allow it: 2." in text
    assert "1 change met another value in AWS" in text
    change(contacts[0], alice, ChangeStatus.APPLIED)
    change(contacts[2], alice, ChangeStatus.CANCELLED)
    text = page(client, bob)
    assert "1 change failed" in text
    assert "met another value" not in text


def test_the_link_of_a_matter_shows_as_many_changes_as_it_says(client, bob, alice, organization):
    contacts = list(AlternateContact.objects.filter(contact_type="SECURITY"))
    settled = change(contacts[0], alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    change(contacts[0], alice, ChangeStatus.APPLIED)
    failed = change(contacts[1], alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    shown = client.get(link(page(client, bob), "Fix: 1 change failed")).content.decode()
    assert reverse("contacts:change_detail", args=[failed.pk]) in shown
    assert reverse("contacts:change_detail", args=[settled.pk]) not in shown


def test_unknown_contacts_say_their_causes(client, bob, organization):
    mirror("SECURITY", ContactStatus.SET)
    mirror("BILLING", ContactStatus.SET)
    mirror("OPERATIONS", ContactStatus.SET)
    mirror("SECURITY", ContactStatus.UNKNOWN, "100000000001", problem=Cause.SCP_DENIES)
    mirror("BILLING", ContactStatus.UNKNOWN, "100000000001", problem=Cause.SCP_DENIES)
    text = page(client, bob)
    assert "1 account cannot be read in full" in text
    assert "A service control policy denies it: 1." in text
    assert accounts_at(client, link(text, "See why: 1 account cannot be read in full")) == {"100000000001"}


def test_accounts_that_were_not_read_yet_are_no_failure(client, bob, organization):
    Account.objects.create(aws_id="200000000001", state="ACTIVE")  # found, and not even asked about yet
    text = page(client, bob)
    assert "6 accounts not read yet" in text
    assert "cannot be read in full" not in text


def test_an_organization_that_cannot_be_read_is_named_with_its_remedy(client, bob, organization):
    organization.problem = Cause.TRUSTED_ACCESS_OFF
    organization.save(update_fields=["problem"])
    text = page(client, bob)
    assert "Northwind cannot be read in full" in text
    assert "aws organizations enable-aws-service-access" in text


def test_nothing_connected_says_who_connects(client, bob, erin):
    assert "An administrator of the portal connects one" in page(client, bob)
    assert reverse("orgs:organization_connect") in page(client, erin)


def test_the_quota_of_the_caller_is_shown(client, bob, organization, settings):
    settings.AWS_QUOTA_SHARE = 0.5
    text = page(client, bob)
    assert "Read contacts: 0.0 of " in text
    assert "We keep to 50 % of what AWS allows" in text


def test_without_a_role_there_is_nothing_to_see(client, carol, organization):
    client.force_login(carol)
    response = client.get(URL)
    assert response.status_code == 403
    assert "Northwind" not in response.content.decode()
    assert "See accounts and contacts" in response.content.decode()


def test_only_reading_is_offered(client, bob):
    client.force_login(bob)
    assert client.post(URL).status_code == 405


def test_the_number_of_queries_does_not_grow(client, bob, alice, organization, django_assert_max_num_queries):
    def count() -> None:
        with django_assert_max_num_queries(22):
            page_of_bob = client.get(URL)
        assert page_of_bob.status_code == 200

    client.force_login(bob)
    count()
    for number in range(40):
        one = account(f"{400000000000 + number}", organization=organization)
        for contact in one.contacts.all():
            change(contact, alice, ChangeStatus.FAILED, problem=Cause.POLICY_DENIES)
    count()


def test_every_contact_type_has_its_tile(client, bob, organization):
    text = page(client, bob)
    for contact_type in ContactType:
        assert f"{contact_type.label}: 0 percent set" in text
