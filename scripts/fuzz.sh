#!/bin/sh
# Runs every fuzz target of the repository, one after the other, for the time (20s) or
# the number of inputs (10000000x) given.
set -eu
amount=${1:-20s}
cd "$(dirname "$0")/.."
found=0
for file in $(git ls-files '*_test.go'); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		found=$((found + 1))
		echo "== $(dirname "$file") $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$amount" "./$(dirname "$file")"
	done
done
[ "$found" -gt 0 ] || { echo "no fuzz target was found" >&2; exit 1; }
echo "$found targets, no failure"
