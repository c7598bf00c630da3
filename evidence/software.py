"""Which known software a container image holds, by the image's name: what its next steps must fit."""

import re

# Images of widely used software that is not written in Go, by the last part of their names.
NOT_GO = frozenset({
    "nginx", "nginx-unprivileged", "openresty", "httpd", "haproxy", "envoy", "varnish", "redis", "redis-server",
    "valkey", "keydb", "memcached", "postgres", "postgresql", "pgbouncer", "mysql", "mysql-server", "mariadb",
    "percona", "mongo", "mongodb", "rabbitmq", "kafka", "zookeeper", "cassandra", "elasticsearch", "opensearch",
    "logstash", "kibana", "solr", "tomcat", "jetty", "wildfly", "keycloak", "openjdk", "eclipse-temurin",
    "amazoncorretto", "wiremock", "jenkins", "node", "python", "gunicorn", "uwsgi", "php", "php-fpm", "wordpress",
    "ruby", "rails", "dotnet", "aspnet", "clickhouse", "clickhouse-server", "dnsmasq", "unbound",
})  # fmt: skip


def image_name(image: str) -> str:
    """The last part of an image's name, without registry, tag and digest."""
    return re.split(r"[:@]", image.rpartition("/")[2])[0].lower()


def is_not_go(image: str) -> bool:
    """Whether the image is known to hold something that is not a Go program; a name that is not known is not."""
    return image_name(image) in NOT_GO
