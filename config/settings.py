"""Django's settings. Only here the environment is read; docs/settings.md lists every name."""

import json
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent
INCIDENT_GRAPH_HOME = Path(environment.text("INCIDENT_GRAPH_HOME", str(BASE_DIR / "var"))).resolve()
RUN_DIR = INCIDENT_GRAPH_HOME / "run"

PORT = environment.number("PORT", 8000, 1, 65535)
PUBLIC_URL = environment.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
SERVED_OVER_TLS = PUBLIC_URL.startswith("https://")
DEBUG = False
SECRET_KEY = environment.text("SECRET_KEY") or environment.generated_secret(INCIDENT_GRAPH_HOME / "secret-key")
ALLOWED_HOSTS = environment.names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_FAILURE_VIEW = "web.pages.errors.not_ours"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if SERVED_OVER_TLS else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "incidents",
    "ingest",
    "investigate",
    "notify",
    "web",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "web.api.health.HostChecked",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# A redirect would lose alerts: Alertmanager and Zabbix follow a 302 without the body and count it as delivered.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# How a connection's `*_env` is read: the declaration names the variable.
DECLARED_SECRET = environment.secret


def _database(url: str) -> dict[str, Any]:
    """PostgreSQL by URL; otherwise SQLite, which survives a power cut and allows readers beside one writer."""
    if url:
        return dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    INCIDENT_GRAPH_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": INCIDENT_GRAPH_HOME / "record.sqlite3",
        "CONN_MAX_AGE": 60,
        # Several connections at once need a file: shared memory locks whole tables.
        "TEST": {"NAME": INCIDENT_GRAPH_HOME / "test.sqlite3"},
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        },
    }


DATABASES = {"default": _database(environment.text("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _embedded(name: str) -> dict[str, str]:
    """The address of a running embedded engine, as the supervisor wrote it; empty while none runs."""
    try:
        return dict(json.loads((RUN_DIR / name).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


_graph = _embedded("graph.json")
GRAPH_URI = environment.text("GRAPH_URI", _graph.get("uri", ""))
GRAPH_USER = environment.text("GRAPH_USER", _graph.get("user", "neo4j"))
GRAPH_PASSWORD = environment.text("GRAPH_PASSWORD", _graph.get("password", ""))
REDIS_URL = environment.text("REDIS_URL", _embedded("redis.json").get("url", "redis://127.0.0.1:6379/0"))

INBOX_LIMIT = environment.number("INBOX_LIMIT", 100_000, 1, 100_000_000)
KEEP_ANSWERS_DAYS = environment.number("KEEP_ANSWERS_DAYS", 90, 1, 36_500)
KEEP_DELIVERIES_DAYS = environment.number("KEEP_DELIVERIES_DAYS", 90, 1, 36_500)

LANGUAGE_CODE = environment.text("LANGUAGE", "en") if environment.text("LANGUAGE") in {"en", "zh-hans"} else "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.text("TIME_ZONE", "UTC")

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if SERVED_OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SERVED_OVER_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SERVED_OVER_TLS else None
# TLS is ended by the proxy in front; a redirect here would lose alerts (see APPEND_SLASH).
SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = ["security.W008"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "web.api.idempotency.Schema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["web.api.parsing.Json"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Incident Graph",
    "DESCRIPTION": "Ranked, checkable root causes for Kubernetes probe failures and etcd incidents.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    # Two shapes of an incident share it; the name is the one that clients were made with.
    "ENUM_NAME_OVERRIDES": {"IncidentShapeStateEnum": "incidents.models.Incident.State"},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "web.api.schema.with_problems",
    ],
}

# kombu has its own name for a unix socket.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_TASK_DEFAULT_QUEUE = "ingest"
# Tasks that one room starts in another, by name, as these rooms do not import each other.
TASKS = {
    "ingest": "ingest.tasks.ingest_deliveries",
    "investigate": "investigate.tasks.investigate_incident",
    "remember": "investigate.tasks.remember",
    "notify": "notify.tasks.notify_targets",
    "webhook": "notify.tasks.process_webhook",
}
CELERY_TASK_ROUTES = {
    "investigate.tasks.investigate_incident": {"queue": "investigate"},
    "investigate.tasks.remember": {"queue": "graph"},
    "notify.tasks.*": {"queue": "notify"},
    "notify.tasks.sweep": {"queue": "ingest"},
    "notify.tasks.forget": {"queue": "ingest"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Our own lines are complete and redacted: as captured output each would be a warning of `celery.redirected`.
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Celery would reconnect to the record for every task; `incidents.nudge` closes only broken or old connections.
CELERY_DB_REUSE_MAX = 1_000_000_000
# A publish that cannot reach the broker gives up at once: the row is the message, the sweeper finds it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_keepalive": True,
    "socket_connect_timeout": 1,
    "socket_timeout": 30,
    "retry_on_timeout": True,
    "health_check_interval": 25,
    "max_retries": 0,
}
CELERY_BEAT_SCHEDULE = {
    "sweep-deliveries": {"task": "ingest.tasks.sweep", "schedule": 5.0},
    "sweep-investigations": {"task": "investigate.tasks.sweep", "schedule": 5.0},
    "sweep-notifications": {"task": "notify.tasks.sweep", "schedule": 5.0},
    "poll": {"task": "notify.tasks.poll", "schedule": 60.0},
    "compare": {"task": "ingest.tasks.compare", "schedule": 60.0},
    "learn-names": {"task": "ingest.tasks.learn_names", "schedule": 300.0},
    "forget-deliveries": {"task": "ingest.tasks.forget", "schedule": 3600.0},
    "forget-webhooks": {"task": "notify.tasks.forget", "schedule": 3600.0},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(RUN_DIR / "beat-schedule")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.Formatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "neo4j": {"level": "WARNING"}},
}
logs.configure()
