package history

import (
	"slices"
	"strings"

	"tocsin/core/zone"
)

// oblastIDs are the ids of the national register of places (KATOTTG), which are for ever, for
// the adjectives that the file names oblasts by: a set may call them otherwise (Volyn for
// Volynska).
var oblastIDs = map[string]zone.ID{
	"autonomous republic of crimea": "UA01000000000013043", "vinnytska": "UA05000000000010236", "volynska": "UA07000000000024379",
	"dnipropetrovska": "UA12000000000090473", "donetska": "UA14000000000091971", "zhytomyrska": "UA18000000000041385",
	"zakarpatska": "UA21000000000011690", "zaporizka": "UA23000000000064947", "ivano frankivska": "UA26000000000069363",
	"kyivska": "UA32000000000030281", "kirovohradska": "UA35000000000016081", "luhanska": "UA44000000000018893",
	"lvivska": "UA46000000000026241", "mykolaivska": "UA48000000000039575", "odeska": "UA51000000000030770",
	"poltavska": "UA53000000000028050", "rivnenska": "UA56000000000066151", "sumska": "UA59000000000057109",
	"ternopilska": "UA61000000000060328", "kharkivska": "UA63000000000041885", "khersonska": "UA65000000000030969",
	"khmelnytska": "UA68000000000099709", "cherkaska": "UA71000000000010357", "chernivetska": "UA73000000000044923",
	"chernihivska": "UA74000000000025378", "kyiv": "UA80000000000093317", "sevastopol": "UA85000000000065278",
}

// renamedUA are raions and hromadas whose names changed, the old first. Either may be in a
// file and either in a set.
var renamedUA = [][2]string{
	{"novohrad volynskyi", "zviahelskyi"}, {"krasnohradskyi", "berestynskyi"}, {"novomoskovskyi", "samarivskyi"},
	{"chervonohradskyi", "sheptytskyi"}, {"volodymyr volynskyi", "volodymyrskyi"},
	{"novohrad volynska", "zviahelska"}, {"krasnohradska", "berestynska"}, {"novomoskovska", "samarivska"},
	{"chervonohradska", "sheptytska"}, {"volodymyr volynska", "volodymyrska"}, {"yuzhnoukrainska", "pivdennoukrainska"},
	{"yuzhnenska", "pivdennivska"},
}

// ukraine is the set's places by name.
type ukraine struct {
	oblasts  map[string]zone.ID
	raions   map[zone.ID]map[string][]zone.ID // by oblast
	hromadas map[zone.ID]map[string][]zone.ID // by oblast; leaves, and what is "and surroundings"
	known    map[[3]string]Place              // what was found
}

// kinds are the words that say what kind of place it is, taken from the end of a name.
var kinds = []string{
	" terytorialna hromada", " territorial hromada", " village hromada", " settlement hromada", " city hromada", " hromada",
	" and surroundings", " raion", " oblast", " city",
}

func bare(name string) string {
	name = words(name)
	for _, k := range kinds {
		if cut, ok := strings.CutSuffix(name, k); ok && cut != "" {
			return cut
		}
	}
	return name
}

func newUkraine(set *zone.Set) *ukraine {
	u := &ukraine{oblasts: map[string]zone.ID{}, raions: map[zone.ID]map[string][]zone.ID{}, hromadas: map[zone.ID]map[string][]zone.ID{}, known: map[[3]string]Place{}}
	for name, id := range oblastIDs {
		if len(set.Leaves(id)) > 0 {
			u.oblasts[name] = id
		}
	}
	put := func(into map[zone.ID]map[string][]zone.ID, z zone.Zone) {
		region := set.Region(z.ID)
		if into[region] == nil {
			into[region] = map[string][]zone.ID{}
		}
		if name := bare(z.Names["en"]); name != "" {
			into[region][name] = append(into[region][name], z.ID)
		}
	}
	for z := range set.All {
		switch _, leaf := set.Index(z.ID); {
		case z.Level == 1:
			u.oblasts[bare(z.Names["en"])] = z.ID
		case z.Level == 2 && strings.HasSuffix(words(z.Names["en"]), " raion"):
			put(u.raions, z)
		case leaf || z.Level == 2:
			put(u.hromadas, z)
		}
	}
	return u
}

// Ukrainian finds the finest place that a row names; where it is not known, or several are
// called so, the place above it. exchanged says that oblast and raion stood in each other's
// column.
func (g *Gazetteer) Ukrainian(oblast, raion, hromada string) (p Place, exchanged bool) {
	if g.ua == nil {
		g.ua = newUkraine(g.set)
	}
	if _, known := g.ua.oblasts[bare(oblast)]; !known {
		if _, other := g.ua.oblasts[bare(raion)]; other && strings.HasSuffix(words(oblast), " raion") {
			oblast, raion, exchanged = raion, oblast, true
		}
	}
	names := [3]string{oblast, raion, hromada}
	p, known := g.ua.known[names]
	if !known {
		if p = g.ukrainian(oblast, raion, hromada); len(g.ua.known) < maxFaults {
			g.ua.known[names] = p
		}
	}
	return p, exchanged
}

func (g *Gazetteer) ukrainian(oblast, raion, hromada string) Place {
	region, known := g.ua.oblasts[bare(oblast)]
	if !known {
		return Place{Rule: Unknown}
	}
	if raion == "" && hromada == "" {
		return g.region(Written, region)
	}
	within, found, rule := named(g.ua.raions[region], bare(raion))
	if hromada != "" {
		if p := g.hromada(region, within, hromada); p.Count > 0 {
			return p
		}
		rule = Widened
	}
	if found && len(within) == 1 {
		return g.region(rule, within[0])
	}
	return g.region(Widened, region)
}

// named finds what is called so, or was or will be.
func named(all map[string][]zone.ID, name string) (ids []zone.ID, found bool, rule Rule) {
	if ids, found = all[name]; found || name == "" {
		return ids, found, Written
	}
	for _, r := range renamedUA {
		for i := range r {
			if r[i] == name {
				if ids, found = all[r[1-i]]; found {
					return ids, true, Renamed
				}
			}
		}
	}
	return nil, false, Unknown
}

// hromada finds "Kryvoozerska terytorialna hromada" or "m. Nikopol ta Nikopolska terytorialna
// hromada": by its adjective; of several called so the one in the raion, then the one that is
// a city's; or by its town, in a set that has towns.
func (g *Gazetteer) hromada(region zone.ID, raion []zone.ID, name string) Place {
	town := ""
	if rest, isTown := strings.CutPrefix(name, "m. "); isTown {
		if before, after, both := strings.Cut(rest, " ta "); both {
			town, name = words(before), after
		} else {
			town, name = words(rest), rest
		}
	}
	found, ok, rule := named(g.ua.hromadas[region], bare(name))
	if ok && len(found) > 1 {
		found = g.narrow(found, func(id zone.ID) bool { p, _ := g.set.Parent(id); return len(raion) == 0 || slices.Contains(raion, p) })
		found = g.narrow(found, func(id zone.ID) bool {
			z, _ := g.set.Get(id)
			return (town != "") == strings.HasSuffix(words(z.Names["en"]), " city hromada")
		})
	}
	if ok && len(found) == 1 {
		return g.region(rule, found[0])
	}
	if town == "" || ok {
		return Place{Rule: Unknown}
	}
	found = g.ua.hromadas[region][town]
	if len(found) > 1 { // the town, and the town and its surroundings: the hromada is more than the town
		found = g.narrow(found, func(id zone.ID) bool { _, leaf := g.set.Index(id); return !leaf })
	}
	if len(found) == 1 {
		return g.region(Spelling, found[0])
	}
	return Place{Rule: Unknown}
}

// narrow keeps those of which something holds, or all where it holds for none.
func (g *Gazetteer) narrow(all []zone.ID, holds func(zone.ID) bool) []zone.ID {
	var kept []zone.ID
	for _, id := range all {
		if holds(id) {
			kept = append(kept, id)
		}
	}
	if len(kept) == 0 {
		return all
	}
	return kept
}
