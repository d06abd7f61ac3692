#!/usr/bin/env bash
# Makes the secrets that compose.yaml names, with random content, once: what is there stays as it is.
set -euo pipefail
umask 077
cd "$(dirname "$0")"
mkdir -p secrets

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
# Written beside and moved, so that no half of one is ever taken for a secret.
keep() {
  printf '%s\n' "$2" >"secrets/$1.making"
  mv "secrets/$1.making" "secrets/$1"
}
# What belongs together is made together, or left alone together.
missing() {
  local there=0 name
  for name in "$@"; do [ -e "secrets/$name" ] && there=$((there + 1)); done
  if [ "$there" -gt 0 ] && [ "$there" -lt $# ]; then
    echo "only some of $* are in $PWD/secrets: put the others back, or remove these to have all made anew" >&2
    exit 1
  fi
  [ "$there" -eq 0 ]
}

if missing admin_key; then keep admin_key "$(random)"; fi
if missing mongo_keyfile; then keep mongo_keyfile "$(random)"; fi
if missing mongo_admin_password; then keep mongo_admin_password "$(random)"; fi
# Nodes that are not there are left out by the driver as soon as it has found the first.
if missing mongo_url; then
  keep mongo_url "mongodb://mtc:$(random)@mongo-1:27017,mongo-2:27017,mongo-3:27017/mtc?replicaSet=rs0"
fi
if missing clickhouse_url clickhouse_user; then
  password=$(random)
  keep clickhouse_url "http://mtc:$password@clickhouse:8123"
  keep clickhouse_user "<clickhouse><users>
  <default remove=\"remove\"/>
  <mtc>
    <password_sha256_hex>$(printf %s "$password" | sha256sum | cut -d ' ' -f 1)</password_sha256_hex>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <access_management>1</access_management>
    <named_collection_control>1</named_collection_control>
  </mtc>
</users></clickhouse>"
fi
if missing redis_url redis_conf; then
  password=$(random)
  keep redis_url "redis://:$password@redis:6379"
  keep redis_conf "requirepass $password
save \"\"
appendonly no
maxmemory 128mb"
fi

# The program's processes run as the files' owner.
if [ "$(id -u)" -eq 0 ]; then
  chown 1000:1000 secrets secrets/*
elif [ "$(id -u)" -ne 1000 ] && ! grep -qs '^RUN_AS=' ../.env; then
  echo "RUN_AS=$(id -u):$(id -g)" >>../.env
fi
echo "secrets are in $PWD/secrets; the admin API key is in admin_key"
