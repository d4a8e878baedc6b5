package threat

import (
	"math"
	"slices"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// Ground is the leaf zones of one set as a raster, so that a path over many zones costs
// a few array reads. It is immutable and safe to share. Each zone is wider than its border
// by Beside.
type Ground struct {
	version    string
	west       float64 // degrees, of the first column's edge; longitudes are taken modulo 360
	south      float64
	step       float64 // degrees of latitude a cell
	wide       float64 // degrees of longitude a cell
	cols, rows int
	blocks     int // a row of them
	zones      int
	typical    float64 // metres across a zone of median size
	// cells are in blocks of tile by tile, which lie together in memory. Each is the set of
	// zones there and, in the highest bits, how many cells around it are of the same set.
	cells []uint32
	sets  [][]int32 // of several zones; see set
	draws []float32 // per set: how much sooner than on average a flight ends there
	dice  *dice
}

// A set of zones at a place: 0 is none, up to the number of zones the one zone of that
// index less one, above it several, which are listed in Ground.sets.
type set = uint32

const (
	mostCells       = 1 << 20 // 4 MiB: more would not stay in a processor's cache
	finestCell      = 100.0   // metres
	cellsPerZone    = 14.0    // across a zone of median width, where the bound allows
	metresPerDegree = 111195.0

	tileBits = 2
	tile     = 1 << tileBits

	clearShift = 25 // what is above it is how far around a cell all is the same
	mostClear  = 1<<(32-clearShift) - 1
	setMask    = 1<<clearShift - 1
)

// Beside is how many metres beside a zone's border still count as over it: what comes down
// or bursts there harms people in the zone.
const Beside = 100.0

// Survey makes the raster of a set. It costs about as much as reading the set; do it
// once for each version.
func Survey(zones *zone.Set) *Ground {
	g := &Ground{dice: newDice()}
	if zones == nil || zones.Len() == 0 {
		return g
	}
	g.version, g.zones = zones.Version(), zones.Len()
	g.frame(zones)
	g.blocks = (g.cols + tile - 1) / tile
	g.cells = make([]uint32, g.blocks*((g.rows+tile-1)/tile)*tile*tile)
	known := map[string]set{}
	for i := range zones.Len() {
		marked := false
		for _, poly := range zones.ByIndex(i).Shape {
			for _, off := range [...]float64{0, Beside, -Beside} {
				spans := g.fill(poly, off)
				for k := 0; k < len(spans); k += 3 {
					for c := spans[k+1]; c <= spans[k+2]; c++ {
						g.add(known, g.cell(spans[k], c), int32(i))
						marked = true
					}
				}
			}
		}
		if !marked { // smaller than a cell: its own place all the same
			if r, c, ok := g.cellAt(zones.ByIndex(i).Label); ok {
				g.add(known, g.cell(r, c), int32(i))
			}
		}
	}
	g.measure()
	g.attract(zones)
	return g
}

// cell is where a row's and column's cell is kept.
func (g *Ground) cell(row, col int) int {
	return ((row>>tileBits)*g.blocks+col>>tileBits)<<(2*tileBits) | (row&(tile-1))<<tileBits | col&(tile-1)
}

// of lists the zones of a set.
func (g *Ground) of(s set) []int32 {
	switch {
	case s == 0:
		return nil
	case int(s) <= g.zones:
		return []int32{int32(s) - 1}
	default:
		return g.sets[int(s)-g.zones-1]
	}
}

// Bounds of what attracts: nobody's choice is so well known that a place is never or
// always the end.
const (
	leastDraw, mostDraw = 0.3, 3.0
	openDraw            = 0.3 // of land that is in no zone
)

// attract says of each set how likely a flight ends over it, a metre flown, against the
// average: what is sent somewhere is sent to where people live, the likelier the more they
// are, but by far less than in proportion. Where no numbers are known all zones are alike.
func (g *Ground) attract(zones *zone.Set) {
	each := make([]float64, zones.Len())
	sum, n := 0.0, 0
	for i := range each {
		if z := zones.ByIndex(i); z.PopulationKnown {
			each[i] = math.Sqrt(float64(max(z.Population, 0)) / math.Max(float64(zones.Shape(i).Area()), 1e4))
			sum += each[i]
			n++
		}
	}
	g.draws = make([]float32, 1+g.zones+len(g.sets))
	g.draws[0] = openDraw
	for k := 1; k < len(g.draws); k++ {
		most := 0.0
		for _, i := range g.of(set(k)) {
			d := 1.0
			if sum > 0 && zones.ByIndex(int(i)).PopulationKnown {
				d = each[i] * float64(n) / sum
			}
			most = math.Max(most, d)
		}
		g.draws[k] = float32(min(max(most, leastDraw), mostDraw))
	}
}

// frame chooses the extent and the cell size.
func (g *Ground) frame(zones *zone.Set) {
	middle := float64(zones.ByIndex(0).Label.Lon)
	south, north, west, east := 90.0, -90.0, 180.0, -180.0
	var widths []float64
	for i := range zones.Len() {
		b := zones.Shape(i).Bounds()
		w := math.Remainder(float64(b.West)-middle, 360)
		span := math.Mod(float64(b.East-b.West)+720, 360)
		if b.West == -180 && b.East == 180 {
			w, span = -180, 360
		}
		south, north = math.Min(south, float64(b.South)), math.Max(north, float64(b.North))
		west, east = math.Min(west, w), math.Max(east, w+span)
		widths = append(widths, math.Sqrt(float64(zones.Shape(i).Area())))
	}
	slices.Sort(widths)
	cos := math.Max(math.Cos((south+north)/2*math.Pi/180), 0.05)
	east = math.Min(east, west+360)
	high, broad := math.Max(north-south, 1e-6), math.Max(east-west, 1e-6)
	g.typical = math.Max(widths[len(widths)/2], finestCell)
	cell := math.Max(g.typical/cellsPerZone, finestCell)
	least := math.Sqrt(high * broad * cos * metresPerDegree * metresPerDegree / mostCells)
	cell = math.Max(cell, least*1.01)
	g.step = cell / metresPerDegree
	g.wide = g.step / cos
	g.west, g.south = middle+west, south
	g.cols = max(int(math.Ceil(broad/g.wide)), 1)
	g.rows = max(int(math.Ceil(high/g.step)), 1)
}

// fill lists row, first and last column of the cells whose centre is in a polygon that is
// moved by off metres north; where off is 0, or beside it to the east or west.
func (g *Ground) fill(p geo.Polygon, off float64) (spans []int) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range p.Outer {
		low, high = math.Min(low, float64(v.Lat)), math.Max(high, float64(v.Lat))
	}
	move := off / metresPerDegree / g.step
	first := max(int(math.Floor((low-g.south)/g.step-0.5+move)), 0)
	last := min(int(math.Ceil((high-g.south)/g.step-0.5+move)), g.rows-1)
	crossings := make([][]float64, max(last-first+1, 0))
	g.cross(p.Outer, first, last, move, crossings)
	for _, h := range p.Holes {
		g.cross(h, first, last, move, crossings)
	}
	side := 0.0
	if off == 0 {
		side = Beside / metresPerDegree / g.step
	}
	for r, xs := range crossings {
		slices.Sort(xs)
		for k := 0; k+1 < len(xs); k += 2 {
			a := max(int(math.Ceil(xs[k]/g.wide-0.5-side)), 0)
			b := min(int(math.Floor(xs[k+1]/g.wide-0.5+side)), g.cols-1)
			if a <= b {
				spans = append(spans, first+r, a, b)
			}
		}
	}
	return spans
}

// cross adds, per row, the degrees east of the west edge at which a ring crosses the
// row's middle, moved by so many cells.
func (g *Ground) cross(ring geo.Ring, first, last int, move float64, out [][]float64) {
	if len(ring) < 2 {
		return
	}
	x0 := g.eastOf(float64(ring[0].Lon))
	for i := 1; i < len(ring); i++ {
		x1 := x0 + math.Remainder(float64(ring[i].Lon-ring[i-1].Lon), 360)
		y0, y1 := float64(ring[i-1].Lat), float64(ring[i].Lat)
		xa := x0
		x0 = x1
		if y0 == y1 {
			continue
		}
		low, high := math.Min(y0, y1), math.Max(y0, y1)
		from := max(int(math.Ceil((low-g.south)/g.step-0.5+move)), first)
		for r := from; r <= last; r++ {
			y := g.south + (float64(r)+0.5-move)*g.step
			if y >= high {
				break
			}
			if y < low {
				continue
			}
			out[r-first] = append(out[r-first], xa+(x1-xa)*(y-y0)/(y1-y0))
		}
	}
}

// eastOf is how many degrees east of the west edge a longitude lies.
func (g *Ground) eastOf(lon float64) float64 {
	d := lon - g.west
	half := float64(g.cols) * g.wide / 2
	if d -= half; d < -180 || d >= 180 {
		d = math.Remainder(d, 360)
	}
	return d + half
}

func (g *Ground) cellAt(p geo.Point) (row, col int, ok bool) {
	col = int(math.Floor(g.eastOf(float64(p.Lon)) / g.wide))
	row = int(math.Floor((float64(p.Lat) - g.south) / g.step))
	return row, col, col >= 0 && row >= 0 && col < g.cols && row < g.rows
}

// add puts a zone into a cell. Cells with the same zones share one set.
func (g *Ground) add(known map[string]set, at int, index int32) {
	old := g.of(set(g.cells[at]))
	switch n := len(old); {
	case n == 0:
		g.cells[at] = uint32(index) + 1
		return
	case old[n-1] == index || g.zones+len(g.sets) >= setMask:
		return
	}
	next := append(slices.Clone(old), index)
	key := make([]byte, 0, 4*len(next))
	for _, v := range next {
		key = append(key, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	id, ok := known[string(key)]
	if !ok {
		g.sets = append(g.sets, next)
		id = set(g.zones + len(g.sets))
		known[string(key)] = id
	}
	g.cells[at] = id
}

// measure finds for each cell how far, in cells, everything around it is of its own set:
// once from the south west for what lies behind, once back.
func (g *Ground) measure() {
	near := func(a set, r, c int) uint32 {
		if r < 0 || c < 0 || r >= g.rows || c >= g.cols {
			return mostClear // nothing but what is outside
		}
		b := g.cells[g.cell(r, c)]
		if b&setMask != a {
			return 0
		}
		return min(b>>clearShift, mostClear-1) + 1
	}
	for pass := range 2 {
		back := 1 - 2*pass
		for k := range g.rows * g.cols {
			if pass == 1 {
				k = g.rows*g.cols - 1 - k
			}
			r, c := k/g.cols, k%g.cols
			at := g.cell(r, c)
			own := g.cells[at] & setMask
			least := min(near(own, r, c-back), near(own, r-back, c-1), near(own, r-back, c), near(own, r-back, c+1))
			if pass == 1 {
				least = min(least, g.cells[at]>>clearShift)
			}
			g.cells[at] = own | least<<clearShift
		}
	}
}
