#!/bin/sh
# Tries every decoder with mutated inputs, one after the other, and prints a table. The
# number of inputs a decoder is the first argument; decoders that go over files try a part.
set -eu
inputs=${1:-10000000}
cd "$(dirname "$0")/.."
rooms=$(git grep -l 'hostile\.Run(' -- '*_test.go' | xargs -n1 dirname | sort -u)
[ -n "$rooms" ] || { echo "no mutation test was found" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
bad=0
printf '%-24s %10s %10s %12s %12s %12s %s\n' decoder inputs taken time slowest largest panics
for room in $rooms; do
	# The package's other tests have "Mutat" in their names too where they try mutations.
	TOCSIN_MUTATIONS=$inputs go test -timeout 48h -count 1 -v -run Mutat "./$room" >"$log" 2>&1 || bad=1
	sed -n 's/^.*: mutations|//p' "$log" | while IFS='|' read -r name n taken took slowest largest; do
		printf '%-24s %10s %10s %12s %12s %12s 0\n' "$name" "$n" "$taken" "$took" "$slowest" "$largest"
	done
	if grep -q '^--- FAIL\|^FAIL' "$log"; then
		printf '%-24s FAILED\n' "$room"
		grep -v '^=== ' "$log" | cut -c1-1000 >&2
	fi
done
exit $bad
