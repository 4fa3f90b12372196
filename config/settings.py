"""One settings file for the demo, the tests and production: everything that differs comes from the environment.

See ``docs/operations.md`` for the list of variables. ``JISHI_MODE`` is ``demo`` (default) or ``production``; in production
a missing secret, host or mail server stops the start (``config.checks``).
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent
MODE = env.choice("JISHI_MODE", "demo", frozenset({"demo", "production"}))
PRODUCTION = MODE == "production"
HOME = env.home(BASE_DIR)

DEBUG = env.boolean("JISHI_DEBUG", False)
SECURE_TLS = env.boolean("JISHI_TLS", PRODUCTION)
SECRET_KEY = env.secret("JISHI_SECRET_KEY") if PRODUCTION else env.text("JISHI_SECRET_KEY", "demo-only-" + "k" * 50)
ALLOWED_HOSTS = env.hosts("JISHI_HOSTS", None if PRODUCTION else "localhost,127.0.0.1,[::1],testserver")
PUBLIC_URL = env.web_address("JISHI_PUBLIC_URL", None if PRODUCTION else "http://127.0.0.1:8000", tls=SECURE_TLS)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "schedule",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_vite",
    "pgtrigger",
    "procrastinate.contrib.django",
    "config.kernel",
    "instruments",
    "booking",
    "billing",
    "frontend",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "frontend.middleware.ActorMiddleware",
    "frontend.middleware.ReaderZoneMiddleware",
    "frontend.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "instruments.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "frontend.context.page",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------------------------
_database_url = env.text("DATABASE_URL", None if PRODUCTION else "")
DATABASES: dict[str, dict[str, object]] = {
    "default": env.database(_database_url)
    if _database_url
    else {
        "ENGINE": "config.embedded",
        "NAME": env.text("JISHI_DATABASE", "jishi"),
        "USER": "postgres",
        "JISHI_HOME": str(HOME),
        "EMBEDDED_DATABASE": env.text("JISHI_DATABASE", "jishi"),
    }
}
DATABASES["default"]["CONN_MAX_AGE"] = env.integer("JISHI_CONN_MAX_AGE", 600, 0, 86400)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# What is asked with every booking is planned once for each connection (config/kernel/statements.py).
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = (  # type: ignore[index]
    2 if env.boolean("JISHI_PREPARED_STATEMENTS", True) else None
)
# Waits are bounded for every connection, so that no transaction needs a statement of its own to say so.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = (  # type: ignore[index]
    f"-c lock_timeout={env.integer('JISHI_LOCK_TIMEOUT_MS', 3000, 100, 60000)}"
)

PROCRASTINATE_ON_APP_READY = "config.kernel.job_connector.use"

# --- Language and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "frontend" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FIRST_DAY_OF_WEEK = 1
CURRENCY = "CNY"
PLATFORM_ID = env.text("JISHI_PLATFORM_ID", "CN-630000")
AVAILABILITY_DAYS = env.integer("JISHI_AVAILABILITY_DAYS", 60, 7, 400)

# --- Static files, uploads ------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [path for path in [BASE_DIR / "frontend" / "dist"] if path.exists()]
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "manifest_path": BASE_DIR / "frontend" / "dist" / "manifest.json",
        "static_url_prefix": "",
    }
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(HOME / "files")}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
# The front-end build writes its content's hash into these names, so browsers may keep them for good.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[A-Za-z0-9_-]{8}\.[a-z0-9]+$"
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 110  # a table and a hundred files beside it; what is more is refused by name
MAX_UPLOAD_BYTES = env.integer("JISHI_MAX_UPLOAD_BYTES", 20 * 1024 * 1024, 1024, 1024**3)

# --- People and log-in ----------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["frontend.login_backend.PersonBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SIGNUP_FORM_CLASS = "frontend.forms.SignupForm"
ACCOUNT_ADAPTER = "frontend.accounts.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {
    "login": env.rate("JISHI_LOGIN_RATE", "30/m/ip", r"\d+/\d*[smhd]/(ip|user|key)"),
    "login_failed": "5/15m/key,50/h/ip",  # the key is person and address, see frontend.accounts
    "login_failed_everywhere": "50/h/key",
    "signup": "20/h/ip",
    "reset_password": "20/h/ip,5/h/key",
    "confirm_email": "1/m/key",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Jishi"
REQUIRE_MFA_FOR_OFFICIALS = env.boolean("JISHI_REQUIRE_MFA_FOR_OFFICIALS", PRODUCTION)
SESSION_ENGINE = "config.kernel.sessions"
SESSION_COOKIE_AGE = 12 * 3600
TRUSTED_PROXY_COUNT = env.integer("JISHI_TRUSTED_PROXIES", 0, 0, 5)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

# --- Mail -----------------------------------------------------------------------------------------------------------
_mail_host = env.text("JISHI_SMTP_HOST") if PRODUCTION else env.text("JISHI_SMTP_HOST", "")
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if _mail_host else "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = str(HOME / "mail")
EMAIL_HOST = _mail_host
EMAIL_PORT = env.integer("JISHI_SMTP_PORT", 587, 1, 65535)
EMAIL_HOST_USER = env.text("JISHI_SMTP_USER", "")
EMAIL_HOST_PASSWORD = env.text("JISHI_SMTP_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("JISHI_SMTP_STARTTLS", PRODUCTION)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("JISHI_MAIL_FROM", "Jishi <no-reply@jishi.example>")

# Ways to reach people besides e-mail: name -> adapter (instruments.services.channels). The demo writes text messages to a file.
NOTICE_CHANNELS = env.adapters("JISHI_CHANNELS", "" if PRODUCTION else "sms=instruments.services.channels.FileSink")

# --- Other people's servers -----------------------------------------------------------------------------------------
# The servers on private networks that may be read although nobody outside can reach them (config.kernel.services.outbound).
OUTBOUND_ALLOW = env.destinations("JISHI_OUTBOUND_ALLOW")
# The servers on private networks to which webhooks may post; http only in tests and demos.
WEBHOOK_ALLOW = env.receivers("JISHI_WEBHOOK_ALLOW", plain=not SECURE_TLS)

# --- Payments online ------------------------------------------------------------------------------------------------
# From so much on, a month's drafts are released by another person than the one who made them (docs/month.md).
SECOND_PERSON_FROM_FEN = env.integer("JISHI_SECOND_PERSON_FROM_YUAN", 10_000, 0, 10**9) * 100
# What one person issued by hand to the same side within so many days counts together (docs/bills.md).
SECOND_PERSON_DAYS = env.integer("JISHI_SECOND_PERSON_DAYS", 30, 1, 366)

# Off without a key: bills are paid by bank transfer then (docs/payments.md).
STRIPE = env.stripe(
    key=env.text("JISHI_STRIPE_KEY", ""),
    webhook_secrets=env.listing("JISHI_STRIPE_WEBHOOK_SECRETS"),
    account=env.text("JISHI_STRIPE_ACCOUNT", ""),
    payee=env.text("JISHI_STRIPE_PAYEE", ""),
    api_base=env.text("JISHI_STRIPE_API", ""),
)

# --- Browser security -----------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_TLS
SESSION_COOKIE_NAME = "__Host-session" if SECURE_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_TLS else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_USE_SESSIONS = False
CSRF_FAILURE_VIEW = "frontend.views.errors.csrf_failure"
SECURE_SSL_REDIRECT = SECURE_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31536000 if SECURE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.kernel.api.authentication.TokenAuthentication",
        "config.kernel.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.kernel.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "config.kernel.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "config.kernel.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "config.kernel.api.problems.handler",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_THROTTLE_CLASSES": ["config.kernel.api.throttling.PerActorThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "actor": env.rate("JISHI_API_RATE", "600/min", r"\d+/(s|sec|m|min|h|hour|d|day)"),
        "feed": env.rate("JISHI_FEED_RATE", "120/min", r"\d+/(s|sec|m|min|h|hour|d|day)"),
        "objection": env.rate("JISHI_OBJECTION_RATE", "5/hour", r"\d+/(s|sec|m|min|h|hour|d|day)"),
        "paper": env.rate("JISHI_PAPER_RATE", "30/min", r"\d+/(s|sec|m|min|h|hour|d|day)"),
    },
    "COERCE_DECIMAL_TO_STRING": True,
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
}
ACTOR_FACTORY = "instruments.queries.actor_for"
SPECTACULAR_SETTINGS = {
    "TITLE": "Jishi API",
    "DESCRIPTION": "Book shared instruments, see what a session costs after subsidy, run the day, settle public money.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ProgrammeDraftStateEnum": [(state, state) for state in ("draft", "submitted", "published", "dropped")],
        "ProgrammeTrialStateEnum": [(state, state) for state in ("queued", "running", "done", "cancelled", "failed")],
        "ClaimStateEnum": [
            (state, state)
            for state in (
                "draft",
                "submitted",
                "in_review",
                "sent_back",
                "passed",
                "publicised",
                "approved",
                "listed",
                "paid",
                "partly_paid",
                "payment_failed",
                "rechecked",
                "rejected",
                "withdrawn",
            )
        ],
        "ClaimEvidenceKindEnum": [(kind, kind) for kind in ("invoice_file", "report", "contract", "payment_proof", "other")],
        "ProposalStateEnum": "billing.settlement.proposal_models.ProposalState",
        "BillStateEnum": [(state, state) for state in ("issued", "partly_paid", "paid", "credited", "uncollectible", "void")],
        "RecheckMethodEnum": [(method, method) for method in ("random", "amount")],
        "RecheckOutcomeEnum": "billing.claims.recheck_models.Outcome",
        "DeliveryModeEnum": "instruments.models.DeliveryMode",
        "SeriesFrequencyEnum": [("daily", "daily"), ("weekly", "weekly")],
        "ReservationStateEnum": [
            (state, state)
            for state in (
                "requested",
                "approved",
                "rejected",
                "cancelled",
                "in_use",
                "completed",
                "adjusting",
                "adjustment_refused",
                "disputed",
                "agreed",
                "no_show",
                "expired",
            )
        ],
        "ReservationChangeStateEnum": [(state, state) for state in ("open", "made", "refused", "withdrawn", "lapsed")],
        "DowntimeKindEnum": [(kind, kind) for kind in ("breakdown", "calibration", "service", "consumables", "other")],
        "MaintenancePlanKindEnum": [(kind, kind) for kind in ("calibration", "service", "consumables", "other")],
        "DowntimeChoiceEnum": [(choice, choice) for choice in ("keep", "offer", "another", "cancel")],
        "SampleJobStateEnum": [
            (one, one)
            for one in (
                "asked",
                "accepted",
                "received",
                "preparing",
                "tested",
                "reported",
                "closed",
                "refused",
                "cancelled",
                "failed",
            )
        ],
        "SampleStateEnum": [(one, one) for one in ("expected", "received", "prepared", "tested", "unfit", "lost")],
        "SeriesStepEnum": [(one, one) for one in ("cancel", "move")],
        "SampleStepEnum": [(one, one) for one in ("receive", "prepare", "test", "find_unfit", "lose", "take_back")],
        "RemainsEnum": [(one, one) for one in ("with_lab", "kept", "returned", "discarded")],
        "RemainsWishEnum": [(one, one) for one in ("return", "discard", "keep")],
        "SampleExtraKindEnum": [(one, one) for one in ("extra", "retest")],
        "OccupancySourceEnum": "booking.models.OccupancySource",
        "LicenceLevelEnum": [(level, level) for level in ("assisted", "self", "off_hours")],
        "EnquiryStateEnum": [(state, state) for state in ("open", "answered", "closed")],
        "QuotationStateEnum": [(state, state) for state in ("draft", "sent", "accepted", "declined", "expired", "withdrawn")],
        "CommissionStateEnum": [(state, state) for state in ("draft", "issued", "in_force", "finished", "cancelled")],
        "OrderLineKindEnum": [(kind, kind) for kind in ("instrument_time", "test", "other")],
        "SettlementModeEnum": [(mode, mode) for mode in ("deducted_now", "refunded_later", "paid_beside")],
    },
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "kernel_cache",
        # Django would keep 300 entries and drop the rest as it comes: counts of failed log-ins would go when many log in.
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    },
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "process"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {
        "without_keys": {"()": "config.log_scrubbing.WithoutKeys"},
        "without_health": {"()": "config.log_scrubbing.WithoutHealth"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["without_keys"]}},
    "root": {
        "handlers": ["console"],
        "level": env.choice("JISHI_LOG", "WARNING", frozenset({"DEBUG", "INFO", "WARNING", "ERROR"})),
    },
    "loggers": {"procrastinate": {"level": "WARNING"}, "django.request": {"filters": ["without_health"]}},
}
