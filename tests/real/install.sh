#!/usr/bin/env bash
# Installs the upstream programs that the real stories run against; does nothing where they are there already.
set -euo pipefail
packages=(
  redis-server postgresql prometheus prometheus-alertmanager prometheus-blackbox-exporter prometheus-node-exporter
  etcd-server etcd-client zabbix-server-pgsql zabbix-frontend-php zabbix-agent php-cli php-pgsql strace chromium
  fonts-noto-cjk containerd runc
  containernetworking-plugins iptables iproute2 openssl maven default-jdk-headless golang-go ansible-core
)
programs=(
  redis-server prometheus prometheus-alertmanager prometheus-blackbox-exporter prometheus-node-exporter etcd etcdctl
  zabbix_server php strace
  containerd runc iptables ip openssl java ansible-playbook
)
missing=()
export PATH="$PATH:/usr/sbin:/sbin"
for program in "${programs[@]}"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ "${#missing[@]}" -eq 0 ]; then
  echo "real programs: all there"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "left out, for want of root or apt: ${missing[*]}" >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi
# Packages must not start their services: the tests start their own copies in scratch folders.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
for attempt in 1 2 3; do
  if apt-get -o DPkg::Lock::Timeout=600 update -q &&
    apt-get -o DPkg::Lock::Timeout=600 install -y -q --no-install-recommends "${packages[@]}"; then
    exit 0
  fi
  echo "apt, attempt $attempt of 3 failed; once more in 10 s" >&2
  sleep 10
done
echo "apt could not install: ${packages[*]}; install them by hand and run make test-real again" >&2
exit 1
