#!/bin/sh
# Installs what the tests are judged by, where that is allowed. A test whose judge is
# absent names it and is skipped, so this script never fails for want of one.
set -u
missing=""
need() { # need PROGRAM PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need tshark tshark
need xmllint libxml2-utils
need xmlsec1 xmlsec1
need openssl openssl
need strace strace
[ -n "${CHROMIUM:-}" ] || need chromium chromium
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
	as=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as="sudo"
else
	echo "setup: not root and no sudo: the tests that need these are skipped:$missing" >&2
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "setup: no apt-get here: the tests that need these are skipped:$missing" >&2
	exit 0
fi
echo "setup: installing$missing"
$as apt-get update -qq || echo "setup: apt-get update failed; trying with the lists at hand" >&2
for package in $missing; do
	DEBIAN_FRONTEND=noninteractive $as apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
		echo "setup: $package could not be installed: the tests that need it are skipped" >&2
done
exit 0
