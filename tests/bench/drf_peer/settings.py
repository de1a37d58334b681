"""Django settings of the peer. What a deployment would switch off for speed is switched off.

In its favour: no middleware at all (no sessions, CSRF, security or CORS headers, which the platform
does send), persistent connections without health checks, no browsable API, no throttling, no
model permissions.
"""

import os
from datetime import timedelta

from psycopg.conninfo import conninfo_to_dict

_database = conninfo_to_dict(os.environ["BENCH_DATABASE"])

SECRET_KEY = os.environ["BENCH_SECRET"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.bench.drf_peer.urls"
WSGI_APPLICATION = "tests.bench.drf_peer.wsgi.application"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "django_filters",
    "tests.bench.drf_peer.app.Peer",
]
AUTH_USER_MODEL = "drf_peer.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None
USE_I18N = False
USE_TZ = True
TIME_ZONE = "Europe/Madrid"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database["dbname"],
        "HOST": _database["host"],
        "PORT": _database["port"],
        "USER": _database["user"],
        "PASSWORD": _database.get("password", ""),
        "CONN_MAX_AGE": None,  # one connection a thread, for ever
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            "options": "-c search_path=drf,public",  # its own tables apart from the platform's
            "server_side_binding": True,  # with prepared statements: details gain about 5 %
            "prepare_threshold": 2,
        },
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 10,
}
SIMPLE_JWT = {"ALGORITHM": "HS256", "ACCESS_TOKEN_LIFETIME": timedelta(days=1)}
