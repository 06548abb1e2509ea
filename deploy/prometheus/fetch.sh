#!/bin/sh
# Debian's package prometheus, unpacked into .tools/prometheus: promtool and the server as files, no service is installed
# or started. Does nothing where promtool is there, and gives up quietly where it cannot be had: tests that need it skip.
set -u
cd "$(dirname "$0")/../.."
target=.tools/prometheus
if command -v promtool > /dev/null || [ -x "$target/usr/bin/promtool" ]; then exit 0; fi
if ! command -v apt-get > /dev/null || ! command -v dpkg > /dev/null; then
    echo "promtool: no apt-get here; install Prometheus and put it into PATH" >&2
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
fetch() { (cd "$folder" && timeout 60 apt-get -qq download prometheus) > /dev/null 2>&1; }
if fetch || { timeout 90 apt-get -qq update > /dev/null 2>&1 && fetch; }; then
    mkdir -p "$target" && dpkg -x "$folder"/*.deb "$target" && echo "promtool: $("$target/usr/bin/promtool" --version 2>&1 | head -1)"
else
    echo "promtool: Debian's package prometheus cannot be fetched; its tests will be skipped" >&2
    exit 1
fi
