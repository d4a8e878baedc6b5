#!/bin/sh
# Makes the shipped zone sets and basemaps again from the packages in package.json. Run from
# the root of the project: zones/make.sh. What it makes is committed: the demo needs neither
# the packages nor Node.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd zones && npm ci --ignore-scripts --no-audit --no-fund)
go run ./zones/make -packages zones/node_modules -tables zones -work "$work"
go run ./cmd/tocsin zones build --places "$work/ua-places.geojson" --outline "$work/ua-outline.geojson" \
	--oblasts zones/ua-oblasts.csv -o "$work/ua.geojson"
for country in il ua; do
	go run ./cmd/tocsin zones check "$work/$country.geojson"
	gzip -9 -n -c "$work/$country.geojson" >"zones/$country.geojson.gz"
done
