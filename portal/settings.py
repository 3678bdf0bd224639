"""All settings, from the environment and an optional .env beside manage.py; nonsense is refused at start."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from portal.environment import (
    choice,
    database,
    flag,
    join_running,
    mail_address,
    mail_server,
    number,
    read_dotenv,
    redis_address,
    secret_key,
    text,
    words,
    working_hours,
)
from portal.identity_provider import identity_provider, password_sign_in
from portal.installation import socket_path

BASE_DIR = Path(__file__).resolve().parent.parent
read_dotenv(BASE_DIR)
# The sandbox's organization and its demo people never lie beside the company's own.
VAR_DIR = (BASE_DIR / (text("PORTAL_VAR") or ("var" if flag("AWS_SANDBOX", True) else "var/aws"))).resolve()
join_running(VAR_DIR)

# `manage.py up` is a whole installation for one machine on its loopback address: it speaks plain HTTP, and
# takes the sandbox for AWS unless told otherwise. With its database in var/, its key may be there as well.
EMBEDDED = flag("EMBEDDED", sys.argv[1:2] == ["up"])
DEBUG = flag("DEBUG", False)
SECRET_KEY = secret_key(kept_in=VAR_DIR / "secret_key" if EMBEDDED or not text("DATABASE_URL") else None)
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
HTTPS = flag("HTTPS", not EMBEDDED)

INSTALLED_APPS = [
    "portal",
    "audit",
    "orgs",
    "contacts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
]

MIDDLEWARE = [
    "portal.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.middleware.RequestIdMiddleware",
    "portal.middleware.HeadersMiddleware",
    "portal.middleware.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "orgs.refusals.RefusalMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "orgs.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.LastSeenMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.TimeZoneMiddleware",
    "portal.middleware.WrongMethodMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "contacts.shell.shell",
                "portal.ways_in.ways_in",
            ],
        },
    }
]

# Where people find the portal: for links in mails.
_HOME = f"http://localhost:{text('PORT', '8000')}" if EMBEDDED else f"https://{ALLOWED_HOSTS[0]}"
PORTAL_URL = text("PORTAL_URL", _HOME).rstrip("/")

# Mail: to the console unless a server is named. One that hangs holds a worker's thread for moments only.
_MAIL = mail_server("consolemail://")
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _MAIL["EMAIL_BACKEND"], _MAIL["EMAIL_HOST"], _MAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_USER"], _MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL["EMAIL_USE_TLS"], _MAIL["EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = mail_address("MAIL_FROM", f"portal@{urlsplit(PORTAL_URL).hostname}")

# Databases: SQLite means one machine; PostgreSQL by DATABASE_URL.
DATABASES = {"default": database(f"sqlite:///{VAR_DIR / 'portal.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=20,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    )
else:
    DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis: Celery's broker, the cache, and the quota's token buckets.
REDIS_URL = redis_address("REDIS_URL", f"unix://{socket_path(VAR_DIR)}")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "portal.cache.JsonSerializer"},
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"

# AWS. boto3's own AWS_* variables are left to boto3.
AWS_SANDBOX = flag("AWS_SANDBOX", EMBEDDED)
AWS_QUOTA_SHARE = number("AWS_QUOTA_SHARE", 0.8, low=0.01, high=1)
AWS_CONNECT_TIMEOUT = number("AWS_CONNECT_TIMEOUT", 5, low=0.1, high=60)
AWS_READ_TIMEOUT = number("AWS_READ_TIMEOUT", 15, low=0.1, high=120)
# How long a write may stay invisible to a read. AWS publishes no figure; the longest one measured was 2.7 s.
AWS_READ_LAG = number("AWS_READ_LAG", 60, low=0, high=3600)
# A claim on a change outlives all timeouts of a read and a write together; a shorter one would send nothing.
_LONGEST_CALL = AWS_CONNECT_TIMEOUT + AWS_READ_TIMEOUT
DELIVERY_LEASE = number("DELIVERY_LEASE", 3 * _LONGEST_CALL, low=2 * _LONGEST_CALL, high=3600)
CHANGE_GIVE_UP_AFTER = number("CHANGE_GIVE_UP_AFTER", 86_400, low=1, high=30 * 86_400)
CONTACT_FRESHNESS = number("CONTACT_FRESHNESS", 3600, low=10, high=30 * 86_400)
DISCOVERY_INTERVAL = number("DISCOVERY_INTERVAL", 3600, low=10, high=30 * 86_400)
COMPANY_NAME = text("COMPANY_NAME")
WORKING_HOURS = working_hours("WORKING_HOURS", "Mon-Fri 07:00-19:00 UTC")
COMPANY_EMAIL_DOMAINS = [domain.lower() for domain in words("COMPANY_EMAIL_DOMAINS")]

# Sign-in
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
] + [{"NAME": "portal.passwords.LocalWordsValidator"}]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "contacts:overview"
ACCOUNT_ADAPTER = "portal.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
# Passwords have limits of their own in portal/guessing.py. This one is for codes, and counts by person: a
# limit by address would let one person keep a whole office out.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": "5/5m/key"}
MFA_RATE_LIMITS = {"webauthn_login": None}  # a passkey cannot be guessed
ALLAUTH_TRUSTED_PROXY_COUNT = int(number("TRUSTED_PROXY_COUNT", 0, low=0, high=10))
IDENTITY_PROVIDER = identity_provider()
PASSWORD_SIGN_IN = password_sign_in(IDENTITY_PROVIDER)
SOCIALACCOUNT_PROVIDERS = IDENTITY_PROVIDER.library_settings if IDENTITY_PROVIDER else {}
SOCIALACCOUNT_ADAPTER = "orgs.provider.ProviderAdapter"
# Seconds; the library asks by the same rule before it changes how somebody signs in.
CONFIRM_AFTER = number("CONFIRM_MINUTES", 15, low=0, high=1440) * 60
SECOND_FACTOR_ROLES = words("SECOND_FACTOR_ROLES", "" if AWS_SANDBOX else "Administrator,Approver")
MFA_ADAPTER = "portal.adapters.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "portal.passkeys.PasskeyForm",
    "login_webauthn": "portal.passkeys.SignInForm",
    "authenticate_webauthn": "portal.passkeys.SecondStepForm",
    "reauthenticate_webauthn": "portal.passkeys.ConfirmForm",
}
MFA_TOTP_ISSUER = "Alternate Contacts"
MFA_TOTP_TOLERANCE = 1  # thirty seconds either way: phones are late

# Security, as `check --deploy` wants it
SESSION_COOKIE_AGE = int(number("SESSION_HOURS", 10, low=0.25, high=24 * 14) * 3600)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# A browser takes __Host- cookies from this very host and over HTTPS alone (RFC 6265bis, 4.1.3.2).
_PREFIX = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_PREFIX}sessionid", f"{_PREFIX}csrftoken"
KNOWN_DEVICE_COOKIE = f"{_PREFIX}known_device"  # portal/guessing.py
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # not in a cookie of its own
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Where the head of the audit's chain is kept outside the database; an empty file name keeps none in a file.
AUDIT_ANCHOR_FILE = text("AUDIT_ANCHOR_FILE", str(VAR_DIR / "audit-anchors.jsonl"))
AUDIT_ANCHOR_HOOKS = words("AUDIT_ANCHOR_HOOKS")

# What monitoring may ask for beside /healthz: a path, and who says what is wrong.
HEALTH_ALARMS = {"/healthz/reading": "orgs.reading.reading_problem"}

# Language, time, files
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / (text("STATIC_ROOT") or VAR_DIR / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# An import pasted as text: two million characters, at most four bytes each. Larger ones come as a file.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.BoundedUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# Logs carry ids, never contact values: what botocore says at DEBUG and PostgreSQL's DETAIL lines stay out.
LOG_LEVEL = choice("LOG_LEVEL", "INFO", {"DEBUG", "INFO", "WARNING", "ERROR"})
QUIET_LOGGERS = ["boto3", "botocore", "urllib3", "s3transfer"]  # the bodies of requests and answers
QUIET_LOGGERS += ["celery.worker", "celery.app.trace", "celery.beat"]  # several lines for each task
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "portal.logs.RequestIdFilter"}},
    "formatters": {"line": {"()": "portal.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Anchors are evidence: no LOG_LEVEL silences them.
    "loggers": {name: {"level": "WARNING"} for name in QUIET_LOGGERS} | {"audit.anchor": {"level": "INFO"}},
}
