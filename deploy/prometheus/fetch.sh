#!/bin/sh
# Debian's package prometheus, unpacked into .tools/prometheus: promtool and the server as files, no service is installed
# or started, and nobody has to be root. Does nothing where promtool is there; ends within four minutes. Two at once do no
# harm: what is unpacked comes to its place whole.
set -u
cd "$(dirname "$0")/../.."
target=.tools/prometheus
there() { command -v promtool > /dev/null || [ -x "$target/usr/bin/promtool" ]; }
if there; then exit 0; fi
if ! command -v apt-get > /dev/null || ! command -v dpkg > /dev/null; then
    echo "promtool: no apt-get here; install Prometheus and put it into PATH" >&2
    exit 1
fi
mkdir -p .tools
folder=$(mktemp -d .tools/fetching-XXXXXX)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
fetch() { (cd "$folder" && timeout 60 apt-get -qq download prometheus) > /dev/null 2>&1; }
if fetch || { timeout 90 apt-get -qq update > /dev/null 2>&1 && fetch; }; then
    dpkg -x "$folder"/*.deb "$folder/files" && mv -T "$folder/files" "$target" 2> /dev/null
fi
if ! there; then
    echo "promtool: Debian's package prometheus cannot be fetched: no network, or an old list of packages (apt-get update)" >&2
    exit 1
fi
