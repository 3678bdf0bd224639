"""Pages for the day when something goes wrong: they stand without a database, a user or a request."""

from django.test import Client


def test_a_mistake_of_ours_says_that_nothing_is_lost(bob, monkeypatch):
    def broken(user):
        raise RuntimeError("contact@northwind.example")

    monkeypatch.setattr("contacts.views.overview.coverage_of", broken)
    client = Client(raise_request_exception=False)
    client.force_login(bob)
    response = client.get("/")
    text = response.content.decode()
    assert response.status_code == 500
    assert "Changes that were already accepted are not lost." in text
    assert "northwind" not in text


def test_a_request_that_makes_no_sense_is_told_so(client, db):
    response = client.get("/", headers={"host": "elsewhere.example"})
    assert response.status_code == 400
    assert "Nothing was changed." in response.content.decode()
