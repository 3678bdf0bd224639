"""`python -m tests.identity_provider DIRECTORY PORT`: people.json and client.json lie in the directory."""

import json
import os
import secrets
import sys
from pathlib import Path

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

LOGIN = """<!doctype html><title>Provider</title><h1>Sign in at the provider</h1>
<form method="post">{% csrf_token %}{{ form }}
<input type="hidden" name="next" value="{{ next }}"><button>Log in</button></form>"""


def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def configure(directory: Path) -> None:
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on the loopback address
    apps = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")]
    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ]
    loaders = [
        ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
        "django.template.loaders.app_directories.Loader",
    ]
    settings.configure(
        DIRECTORY=str(directory),
        SECRET_KEY=secrets.token_hex(25),
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=[*apps, "oauth2_provider"],
        MIDDLEWARE=middleware,
        ROOT_URLCONF="tests.identity_provider.urls",
        LOGIN_URL="login",
        SESSION_COOKIE_NAME="provider_session",
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(directory / "provider.sqlite3")}
        },
        MIGRATION_MODULES=dict.fromkeys(("auth", "contenttypes", "sessions", "oauth2_provider")),  # quicker
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": loaders}}
        ],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": private_key(),
            "OAUTH2_VALIDATOR_CLASS": "tests.identity_provider.claims.Validator",
            "SCOPES": {"openid": "who", "profile": "name", "email": "address"},
            "PKCE_REQUIRED": True,
            "ALLOW_LOCALHOST_LOOPBACK": True,
        },
    )
    django.setup()


def fill(directory: Path) -> None:
    from django.contrib.auth.models import User
    from oauth2_provider.models import Application

    for name, person in json.loads((directory / "people.json").read_text()).items():
        User.objects.create_user(name, password=person["password"])
    client = json.loads((directory / "client.json").read_text())
    Application.objects.create(
        name="portal",
        client_id=client["id"],
        client_secret=client["secret"],
        redirect_uris=" ".join(client["redirect_uris"]),
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
    )


def main(directory: Path, port: str) -> None:
    from django.core.management import call_command

    configure(directory)
    call_command("migrate", run_syncdb=True, verbosity=0)
    fill(directory)
    call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, skip_checks=True)


main(Path(sys.argv[1]), sys.argv[2])
