"""Signing in at the company's identity provider, a process of its own: who gets in, and into which groups."""

import time

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from audit.context import Context, Source
from audit.models import Action, AuditEvent
from orgs.leaving import hide_name
from orgs.models import AccessGrant
from orgs.people import set_active
from orgs.provider_claims import claims_of
from portal.models import User
from tests.conftest import PASSWORD
from tests.identity_provider.running import RunningProvider
from tests.orgs.conftest import events_of
from tests.orgs.test_sign_ins import sign_in

pytestmark = pytest.mark.django_db
GROUPS = ("Editor", "Helpdesk", "Approver", "Auditor", "Viewer", "Administrator")


@pytest.fixture(autouse=True)
def _groups(db) -> None:
    """Groups that an administrator has made, each with a role."""
    for name in GROUPS:
        AccessGrant.objects.create(group=Group.objects.create(name=name), role=name)


def come_by(client: Client, provider: RunningProvider, name: str = "dora", next_page: str = ""):
    """Press the button of the sign-in page, sign in at the provider, and come back."""
    leaving = client.get(reverse("provider_start"), {"next": next_page} if next_page else {})
    assert leaving.status_code == 302
    return client.get(provider.answer(leaving.url, name))


def group_names(name: str = "dora") -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


def test_the_first_sign_in_makes_the_person_with_the_groups_that_exist_here(client, redis_url, provider):
    provider.say("dora", groups=["Editor", "Approver", "canteen"])
    assert come_by(client, provider, next_page="/changes/").url == "/changes/"
    assert client.get("/approvals/").status_code == 200  # by the grant of a group

    dora = User.objects.get(username="dora")
    assert (dora.first_name, dora.last_name, dora.email) == ("Dora", "Marsh", "dora@northwind.example")
    assert not dora.has_usable_password()
    assert group_names() == {"Editor", "Approver"}
    created, renewed, signed_in = events_of(Action.USER_CREATED, Action.GROUPS_RENEWED, Action.SIGNED_IN)
    assert created.detail["subject"] == SocialAccount.objects.get(user=dora).uid
    assert (renewed.before, renewed.after) == ({"groups": []}, {"groups": ["Approver", "Editor"]})
    assert signed_in.actor_id == dora.pk
    assert signed_in.detail["by"] == ["provider"]


def test_nothing_but_the_subject_is_kept(client, redis_url, provider):
    provider.say("dora", groups=["Editor"], birthdate="1990-01-01")
    come_by(client, provider)
    assert SocialAccount.objects.get().extra_data == {}
    assert not SocialToken.objects.exists()
    assert "1990" not in str(list(AuditEvent.objects.values())) + str(dict(client.session))


def test_a_person_is_known_by_the_subject_whatever_else_changes(client, redis_url, provider):
    provider.say("dora", groups=["Editor"])
    come_by(client, provider)
    provider.say("dora", preferred_username="erin", email="erin@northwind.example")
    other = Client()
    come_by(other, provider)
    assert other.get("/profile/").context["user"].username == "dora"
    assert User.objects.count() == 1


def test_groups_are_renewed_at_each_sign_in(client, redis_url, provider):
    provider.say("dora", groups=["Editor", "Helpdesk"])
    come_by(client, provider)
    provider.say("dora", groups=["Helpdesk", "Auditor"])
    come_by(Client(), provider)
    assert group_names() == {"Helpdesk", "Auditor"}
    provider.say("dora", groups=None)
    come_by(Client(), provider)
    assert group_names() == set()
    come_by(Client(), provider)
    assert [event.after["groups"] for event in events_of(Action.GROUPS_RENEWED)] == [
        ["Editor", "Helpdesk"],
        ["Auditor", "Helpdesk"],
        [],
    ]


def test_a_group_given_by_hand_stays(client, redis_url, provider):
    provider.say("dora", groups=["Editor"])
    come_by(client, provider)
    User.objects.get(username="dora").groups.add(Group.objects.get(name="Viewer"))
    provider.say("dora", groups=["Viewer"])
    come_by(Client(), provider)
    provider.say("dora", groups=[])
    come_by(Client(), provider)
    assert group_names() == {"Viewer"}


def test_two_first_sign_ins_in_the_same_moment_make_one_person(client, redis_url, provider, monkeypatch):
    provider.say("dora", groups=["Editor"])
    full_clean = User.full_clean

    def overtaken(user, **kwargs):
        full_clean(user, **kwargs)
        User.objects.bulk_create([User(username=user.username)])

    monkeypatch.setattr(User, "full_clean", overtaken)
    answer = come_by(client, provider)
    assert answer.status_code == 403
    assert "Sign in again." in answer.text
    [event] = events_of(Action.SIGN_IN_FAILED)
    assert event.detail["cause"] == "made meanwhile"


@pytest.mark.parametrize("groups", [[], ["canteen"], None, "canteen"])
def test_nobody_else_gets_an_account(client, redis_url, provider, groups):
    provider.say("dora", groups=groups)
    answer = come_by(client, provider)
    assert answer.status_code == 403
    assert "None of your groups has access to this portal." in answer.text
    assert not User.objects.exists()
    [event] = events_of(Action.SIGN_IN_FAILED)
    assert event.detail["cause"] == "no group of ours"
    assert event.detail["subject"] in answer.text
    assert client.get("/profile/").status_code == 302


def test_a_single_group_may_come_as_a_text(client, redis_url, provider):
    provider.say("dora", groups="Auditor")
    come_by(client, provider)
    assert group_names() == {"Auditor"}


def test_too_many_groups_to_be_sent_are_not_taken_for_none(client, redis_url, provider):
    provider.say("dora", groups=["Editor"])
    come_by(client, provider)
    provider.say("dora", groups=None, _claim_names={"groups": "src1"})
    answer = come_by(Client(), provider)
    assert "more groups than the provider sends" in answer.text
    assert group_names() == {"Editor"}


@pytest.mark.parametrize("claims", [{"preferred_username": "ERIN"}, {"email": "Erin@Example.com"}])
def test_a_name_or_an_address_alone_opens_nobodys_account(client, redis_url, provider, erin, claims):
    erin.email = "erin@example.com"
    erin.save(update_fields=["email"])
    provider.say("dora", groups=["Viewer"], **claims)
    answer = come_by(client, provider)
    assert answer.status_code == 403
    assert "Ask the operator of the portal to link you." in answer.text
    assert User.objects.count() == 1
    assert client.get("/profile/").status_code == 302


def test_the_operator_links_somebody_who_is_here_already(client, redis_url, provider, erin):
    provider.say("dora", preferred_username="erin", groups=["Viewer"])
    come_by(client, provider)
    subject = events_of(Action.SIGN_IN_FAILED)[0].detail["subject"]
    call_command("link_person", "erin", subject)
    come_by(client, provider)
    assert client.get("/profile/").context["user"] == erin
    assert group_names("erin") == {"Viewer"}
    [event] = events_of(Action.PROVIDER_LINKED)
    assert event.after == {"provider": provider.configured().id, "subject": subject}
    assert event.detail["user"] == "erin"


def test_a_subject_belongs_to_one_person(redis_url, provider, erin, bob):
    call_command("link_person", "erin", "42")
    with pytest.raises(CommandError, match="linked to erin already"):
        call_command("link_person", "bob", "42")
    call_command("link_person", "erin", "43")
    assert [account.uid for account in SocialAccount.objects.all()] == ["43"]


def test_a_name_that_cannot_be_used_makes_nobody(client, redis_url, provider):
    provider.say("dora", preferred_username="dora marsh", groups=["Viewer"])
    assert come_by(client, provider).status_code == 403
    assert not User.objects.exists()


def test_who_was_deactivated_is_told_so_and_nothing_changes(client, redis_url, provider):
    provider.say("dora", groups=["Editor"])
    come_by(client, provider)
    User.objects.update(is_active=False)
    provider.say("dora", groups=["Administrator"])
    other = Client()
    assert "Your account is deactivated" in other.get(come_by(other, provider).url).text
    assert other.get("/profile/").status_code == 302
    assert group_names() == {"Editor"}


def test_who_left_and_comes_back_is_a_new_person(client, redis_url, provider, erin):
    provider.say("dora", groups=["Editor"])
    come_by(client, provider)
    former = User.objects.get(username="dora")
    context = Context(actor=erin, source=Source.PAGE)
    set_active(former, False, context=context)
    hide_name(former, context=context)
    come_by(client, provider)
    assert client.get("/profile/").context["user"].username == "dora"
    assert User.objects.get(username="dora").pk != former.pk


@pytest.mark.parametrize("asked_in", [3_000_000, 1e12, float("nan"), float("inf")])
def test_a_moment_that_has_not_come_proves_nothing(client, redis_url, provider, asked_in):
    token = {"sub": "1", "auth_time": time.time() + asked_in}
    assert claims_of({"id_token": token}, groups_claim="groups").authenticated_at == 0


def test_another_tenant_of_the_same_host_is_another_provider(provider):
    """Subjects are unique within an issuer, and many issuers share a host."""
    issuers = [
        "https://sso.example/a",
        "https://sso.example/b",
        "https://sso.example:8443/a",
        "https://sso.example",
    ]
    assert len({provider.configured(issuer=issuer).id for issuer in issuers}) == len(issuers)


def test_whoever_floods_the_way_back_does_not_flood_the_audit(client, redis_url, provider):
    address = reverse("openid_connect_callback", args=[provider.configured().id])
    for _ in range(5):
        assert client.get(address, {"code": "x", "state": "y"}).status_code == 401
    assert len(events_of(Action.SIGN_IN_FAILED)) == 1


def test_the_way_back_leads_nowhere_else(client, redis_url, provider):
    provider.say("dora", groups=["Viewer"])
    assert come_by(client, provider, next_page="https://elsewhere.example/").url == "/"


def test_an_answer_that_nobody_asked_for_is_no_sign_in(client, redis_url, provider):
    address = reverse("openid_connect_callback", args=[provider.configured().id])
    answer = client.get(address, {"code": "x", "state": "y"})
    assert answer.status_code == 401
    assert "Signing in did not work" in answer.text
    assert events_of(Action.SIGN_IN_FAILED)[0].detail["step"] == "provider"


def test_an_answer_of_another_browser_is_no_sign_in(client, redis_url, provider):
    provider.say("dora", groups=["Viewer"])
    way_back = provider.answer(client.get(reverse("provider_start")).url)
    assert Client().get(way_back).status_code == 401


def test_who_says_no_at_the_provider_reads_so(client, redis_url, provider):
    client.get(reverse("provider_start"))
    [state] = client.session["socialaccount_states"]
    address = reverse("openid_connect_callback", args=[provider.configured().id])
    answer = client.get(address, {"error": "access_denied", "state": state}, follow=True)
    assert "You did not go on" in answer.text


def test_a_provider_that_does_not_answer_is_said(client, redis_url, provider, settings):
    settings.IDENTITY_PROVIDER = provider.configured(issuer="http://127.0.0.1:9/o")
    settings.SOCIALACCOUNT_PROVIDERS = settings.IDENTITY_PROVIDER.library_settings
    answer = client.get(reverse("provider_start"))
    assert answer.status_code == 502
    assert "did not answer as it should" in answer.text


def test_a_row_of_the_database_brings_in_no_other_provider(client, redis_url, provider):
    SocialApp.objects.create(
        provider="openid_connect",
        provider_id="evil.example",
        name="Evil",
        client_id="x",
        settings={"server_url": "http://127.0.0.1:9"},
    )
    address = reverse("openid_connect_callback", args=["evil.example"])
    assert client.get(address, {"code": "x", "state": "y"}).status_code == 404


def test_without_a_provider_there_is_no_way_to_it(client, db):
    assert client.get(reverse("provider_start")).status_code == 404
    assert "Continue with" not in client.get(reverse("account_login")).text


def test_the_second_step_is_left_to_the_provider_where_the_settings_say_so(
    client, redis_url, provider, settings, django_capture_on_commit_callbacks
):
    from allauth.mfa.totp.internal.auth import TOTP

    provider.say("dora", groups=["Editor"])
    come_by(client, provider)
    TOTP.activate(User.objects.get(username="dora"), "JBSWY3DPEHPK3PXP")
    assert come_by(Client(), provider).url == reverse("mfa_authenticate")
    settings.IDENTITY_PROVIDER = provider.configured(asks_second_factor=True)
    assert come_by(Client(), provider).url == "/"


def test_passwords_can_be_switched_off(client, redis_url, provider, settings, erin):
    settings.PASSWORD_SIGN_IN = False
    page = client.get(reverse("account_login"))
    assert 'type="password"' not in page.text
    assert "Use a passkey" in page.text
    assert "Passwords do not sign in here." in sign_in(client, "erin", PASSWORD).text
    assert client.get("/profile/").status_code == 302
    call_command("link_person", "erin", "1")
    assert come_by(client, provider).url == "/"


def test_without_passwords_none_confirms_who_one_is(client, redis_url, provider, settings, erin):
    client.force_login(erin)
    settings.PASSWORD_SIGN_IN, settings.CONFIRM_AFTER = False, 900
    call_command("link_person", "erin", "1")
    answer = client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert answer.url == reverse("provider_confirm")
