"""What known servers say of themselves, in the output of a probe's command or in a container's last words.

A row is a pattern, the measure that it proves, and whose words they are. The words are other people's text: they are
matched within a bounded length, and the first row that matches is the one that counts.
"""

import re

FULL = "event-says-connections-full"
LOADING = "event-says-loading"
STOPPING = "event-says-stopping"
DISK = "event-says-disk-full"
MEMORY = "event-says-memory-full"
DENIED = "event-says-denied"
NO_UPSTREAM = "event-says-no-upstream"
UPSTREAM_LATE = "event-says-upstream-late"
LIMITED = "event-says-limited"
WORKERS = "event-says-workers-full"
SETTINGS = "event-says-bad-settings"

# In this order: a full disk is the reason that some servers give for refusing something else.
ROWS: tuple[tuple[str, str, str], ...] = (
    (r"no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b", DISK, "errno 28 and 122 of Linux"),
    (r"database or disk is full|disk (is )?full|flood[- ]stage disk watermark", DISK, "SQLite, MySQL, Elasticsearch"),
    (r"\bMISCONF (Redis|Valkey|Errors writing)", DISK, "Redis: stop-writes-on-bgsave-error, append-only file"),
    (r"sorry, too many clients already|remaining connection slots are reserved", FULL, "PostgreSQL, 53300"),
    (r"too many connections for (role|database)|too many connections\b", FULL, "PostgreSQL 53300, MySQL 1040 and 1203"),
    (r"max number of clients reached", FULL, "Redis: maxclients"),
    (r"no more connections allowed|query_wait_timeout|max_client_conn", FULL, "PgBouncer"),
    (r"\bORA-(00018|00020|12516|12519|12520)\b", FULL, "Oracle Database"),
    (r"too many open connections|connection pool (is )?(exhausted|full|paused)", FULL, "MongoDB and clients' pools"),
    (r"the database system is shutting down", STOPPING, "PostgreSQL, 57P03"),
    (r"the database system is (starting up|not (yet )?accepting|in recovery)", LOADING, "PostgreSQL, 57P03"),
    (r": ?\d+ - rejecting connections", LOADING, "pg_isready: the server refuses for now"),
    (r"\bLOADING (Redis|Valkey) is loading", LOADING, "Redis: reads its data set"),
    (r"\bMASTERDOWN\b|\bBUSYLOADING\b|node is not synced yet|WSREP has not yet prepared", LOADING, "Redis, Galera"),
    (r"\bOOM command not allowed when used memory", MEMORY, "Redis: maxmemory"),
    (r"cannot allocate memory|\bENOMEM\b|java\.lang\.OutOfMemoryError|heap out of memory", MEMORY, "Linux, Java, Node"),
    (r"\b(NOAUTH|WRONGPASS|NOPERM)\b", DENIED, "Redis: authentication"),
    (r"password authentication failed|no pg_hba\.conf entry|role \"[^\"]*\" does not exist", DENIED,
     "PostgreSQL, 28000"),
    (r"access denied for user", DENIED, "MySQL 1045"),
    (r"no live upstreams|while connecting to upstream", NO_UPSTREAM, "nginx"),
    (r"no server is available to handle this request", NO_UPSTREAM, "HAProxy, body of 503"),
    (r"no healthy upstream|upstream connect error or disconnect/reset", NO_UPSTREAM, "Envoy, body of 503"),
    (r"no available server", NO_UPSTREAM, "Traefik, body of 503"),
    (r"upstream timed out|upstream request timeout", UPSTREAM_LATE, "nginx, Envoy"),
    (r"local_rate_limited|rate limit(ed| exceeded)|limiting requests, excess|too many requests", LIMITED,
     "Envoy, nginx limit_req"),
    (r"worker_connections are not enough", WORKERS, "nginx"),
    (r"server reached (pm\.)?max_children|server reached max_children", WORKERS, "php-fpm"),
    (r"too many open files|\bEMFILE\b|\bENFILE\b", WORKERS, "errno 24 and 23 of Linux"),
    (r"worker queue depth|queue of waiting (requests|connections) is full|listen queue .{0,20}full", WORKERS,
     "gunicorn, uWSGI, waitress"),
    (r"^nginx: \[emerg\]|\[emerg\] \d+#|\[ALERT\].{0,80}(config|parsing)", SETTINGS, "nginx, HAProxy: configuration"),
    (r"fatal config file error|bad directive or wrong number of arguments", SETTINGS, "Redis: configuration"),
    (r"configuration file .{0,200}contains errors|unrecognized configuration parameter", SETTINGS, "PostgreSQL"),
    (r"(invalid|error (loading|parsing|reading)|failed to (load|parse|read)|unable to (load|parse|read)) (the )?"
     r"(config|configuration)\b", SETTINGS, "common wording of programs"),
    (r"(missing|required) (environment variable|env var|setting)|"
     r"environment variable \S+ (is )?(not set|required|missing)", SETTINGS, "common wording of programs"),
)  # fmt: skip
TABLE = tuple((re.compile(pattern, re.IGNORECASE), measure) for pattern, measure, _ in ROWS)


def measure_of_words(text: str) -> str:
    """The measure that the words prove; empty when no server of the table is heard."""
    return next((measure for pattern, measure in TABLE if pattern.search(text)), "")
