#!/bin/sh
# Makes the secrets of deploy/compose.yaml, once; what is there stays. The folder is its owner's alone; the files in it
# are readable, because a container that is not root reads them as a stranger.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
for name in pepper clickhouse-password grafana-password; do
    [ -s "secrets/$name" ] || random > "secrets/$name"
done
if [ ! -s secrets/clickhouse.xml ]; then
    printf '<clickhouse>\n  <onethread_password>%s</onethread_password>\n  <onethread_cluster>%s</onethread_cluster>\n</clickhouse>\n' \
        "$(cat secrets/clickhouse-password)" "$(random)" > secrets/clickhouse.xml
fi
[ -e secrets/alerts-url ] || : > secrets/alerts-url  # empty: alerts call nobody
chmod 644 secrets/*
echo "secrets are in $(pwd)/secrets: keep the pepper for ever, another one makes other persons of the same events"
