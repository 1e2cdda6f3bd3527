"""Django's settings: every value from the environment or `.env`, every default fit for one machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from proxy.console import UNFOLD  # noqa: F401 - the console reads it from the settings
from proxy.installation import kept_secret, new_django_secret, new_encryption_key
from proxy.version import VERSION

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
# What is set beats what stands in the file; BRIDGE_ENV_FILE names another one, or none (/dev/null).
environ.Env.read_env(env.str("BRIDGE_ENV_FILE", str(BASE_DIR / ".env")))


def _json(name: str, default: Any) -> Any:
    """The JSON value of a variable; what is not JSON stays text, and the system checks say so in one sentence."""
    text = env.str(name, "")
    if not text.strip():
        return default
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- Where things live -------------------------------------------------------------------------------------
BRIDGE_DATA_DIR = Path(env.str("BRIDGE_DATA_DIR", str(BASE_DIR / "data"))).resolve()
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 43953)
PUBLIC_URL = env.str("PUBLIC_URL", f"http://{'127.0.0.1' if HOST in {'0.0.0.0', '::'} else HOST}:{PORT}").rstrip("/")
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", 1)
REDIS_URL = env.str("REDIS_URL", "")

# --- Secrets -----------------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret(BRIDGE_DATA_DIR, "secret_key", new_django_secret)
BRIDGE_ENCRYPTION_KEYS: list[str] = env.list("BRIDGE_ENCRYPTION_KEYS", default=[]) or [
    line.strip()
    for line in kept_secret(BRIDGE_DATA_DIR, "encryption_keys", new_encryption_key).replace(",", "\n").splitlines()
    if line.strip()
]
API_KEY = env.str("API_KEY", "")

# --- The upstream ------------------------------------------------------------------------------------------
BRIDGE_GITHUB_URL = env.str("BRIDGE_GITHUB_URL", "")
BRIDGE_GITHUB_API_URL = env.str("BRIDGE_GITHUB_API_URL", "")
BRIDGE_COPILOT_URL = env.str("BRIDGE_COPILOT_URL", "")
BRIDGE_ORIGINS: dict[str, Any] = _json("BRIDGE_ORIGINS", {})
BRIDGE_PROFILE: dict[str, str] = _json("BRIDGE_PROFILE", {})

# --- The gateway -------------------------------------------------------------------------------------------
MODEL_MAPPING: dict[str, str] | None = _json("MODEL_MAPPING", None)
BRIDGE_OVERFLOW = env.bool("BRIDGE_OVERFLOW", False)
BRIDGE_KEEPALIVE_SECONDS = env.float("BRIDGE_KEEPALIVE_SECONDS", 15.0)
BRIDGE_HEAD_SECONDS = env.float("BRIDGE_HEAD_SECONDS", 30.0)
BRIDGE_GRACE_SECONDS = env.float("BRIDGE_GRACE_SECONDS", 0.5)
BRIDGE_BODY_LIMIT = env.int("BRIDGE_BODY_LIMIT", 32 * 1024 * 1024)
BRIDGE_BODY_BUDGET = env.int("BRIDGE_BODY_BUDGET", 512 * 1024 * 1024)
BRIDGE_RETENTION_DAYS = env.int("BRIDGE_RETENTION_DAYS", 400)
BRIDGE_RETENTION_ROWS = env.int("BRIDGE_RETENTION_ROWS", 0)
BRIDGE_STORE_REPLIES = env.bool("BRIDGE_STORE_REPLIES", True)
BRIDGE_STORED_REPLY_HOURS = env.int("BRIDGE_STORED_REPLY_HOURS", 24)
BRIDGE_STORED_REPLY_LIMIT = env.int("BRIDGE_STORED_REPLY_LIMIT", 4 * 1024 * 1024)
BRIDGE_RECOVER_CALLS: list[str] = env.list("BRIDGE_RECOVER_CALLS", default=[])
BRIDGE_WIRE_PROFILES: dict[str, str] = _json("BRIDGE_WIRE_PROFILES", {})
BRIDGE_WEBHOOK_URL = env.str("BRIDGE_WEBHOOK_URL", "")
BRIDGE_DURABILITY = env.str("BRIDGE_DURABILITY", "process")
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", default=[])

# --- Django ------------------------------------------------------------------------------------------------
DEBUG = False
_public = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[]) or [
    "127.0.0.1",
    "localhost",
    "[::1]",
    *([_public.hostname] if _public.hostname else []),
]
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[]) or [
    f"{_public.scheme}://{_public.netloc}"
]

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "accounts",
    "proxy",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "proxy.pages.static_files.WholeStaticFiles",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "proxy.pages.acting.Acting",
    "proxy.pages.middleware.MemberPreferences",
    "proxy.pages.middleware.PasswordChange",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "proxy.urls"
ASGI_APPLICATION = "proxy.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "proxy.pages.context.site",
            ]
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Django's description of the database behind `url`.

    SQLite has one writer: WAL, and every transaction takes its write lock at the start so that none fails half-way.
    """
    described: dict[str, Any] = dict(env.db_url_config(url))
    if described["ENGINE"].endswith("sqlite3"):
        sync = {"process": "NORMAL", "power": "FULL"}[BRIDGE_DURABILITY]
        described["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={sync}; PRAGMA cache_size=-16000;",
        }
    else:
        described["CONN_HEALTH_CHECKS"] = True
        described["CONN_MAX_AGE"] = 60
    return described


if BRIDGE_DURABILITY not in {"process", "power"}:
    raise ImproperlyConfigured(
        "BRIDGE_DURABILITY is 'process' (survives the process) or 'power' (survives a power cut)."
    )
DATABASES = {"default": _database(env.str("DATABASE_URL", f"sqlite:///{BRIDGE_DATA_DIR}/bridge.sqlite3"))}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

AUTH_USER_MODEL = "accounts.Member"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("signin")
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_AGE = 14 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CSRF_FAILURE_VIEW = "proxy.pages.faults.csrf_failure"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]  # each named in itself
LOCALE_PATHS = [BASE_DIR / "proxy" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "proxy" / "static"]
WHITENOISE_USE_FINDERS = True

# --- The management API ------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.KeyAuthentication",
        "accounts.api.authentication.PageSession",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.access.ByRule"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.api.faults.answer",
    "SEARCH_PARAM": "search",
    "ORDERING_PARAM": "ordering",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Copilot Bridge: management API",
    "DESCRIPTION": (
        "The rows of the console for programs. Owners change, auditors read everything, members read and manage what "
        "is their own. Amounts are integer nano-AIU and, beside it, credits as decimal text (1 credit = 1,000,000,000 "
        'nano-AIU = $0.01). Times carry their zone. Errors are `{"error": {"code", "message", "param"}}`.'
    ),
    "VERSION": VERSION,
    "SERVE_PERMISSIONS": ["accounts.api.access.ByRule"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Mail --------------------------------------------------------------------------------------------------
EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    globals().update(env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", f"copilot-bridge@{_public.hostname or 'localhost'}")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Every scanner of the internet sends hosts that are not ours; each is answered with 400 and no more.
        "django.security.DisallowedHost": {"handlers": [], "propagate": False},
    },
}
