package zones

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"

	"tocsin/core/zone"
)

//go:embed il-districts.csv
var ilDistricts string

// Districts are the larger areas that a shipped set itself has not, by the names that older
// histories know them under, with the zones in each; none where the set has levels.
func Districts(name string) (map[string][]zone.ID, error) {
	if name != "il" {
		return nil, nil
	}
	rows, err := csv.NewReader(strings.NewReader(ilDistricts)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("zones: il-districts.csv: %w", err)
	}
	out := map[string][]zone.ID{}
	for _, row := range rows[1:] {
		for id := range strings.FieldsSeq(row[1]) {
			out[row[0]] = append(out[row[0]], zone.ID(id))
		}
	}
	return out, nil
}
