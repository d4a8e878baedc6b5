package threat

import (
	"math"
	"slices"

	"tocsin/core/geo"
	"tocsin/core/zone"
)

// Ground is the leaf zones of one set as a raster, so that a path over many zones costs
// a few array reads. It is immutable and safe to share.
type Ground struct {
	version    string
	west       float64 // degrees, of the first column's edge; longitudes are taken modulo 360
	south      float64
	step       float64 // degrees of latitude a cell
	wide       float64 // degrees of longitude a cell
	cols, rows int
	zones      int
	over       []int32 // per cell: index into sets
	clear      []uint8 // per cell: cells around it, in every direction, of the same set
	sets       [][]int32
}

const (
	mostCells       = 4 << 20
	finestCell      = 100.0 // metres
	cellsPerZone    = 5.0   // across a zone of median width, where the bound allows
	metresPerDegree = 111195.0
)

// Survey makes the raster of a set. It costs about as much as reading the set; do it
// once for each version.
func Survey(zones *zone.Set) *Ground {
	g := &Ground{sets: [][]int32{nil}}
	if zones == nil || zones.Len() == 0 {
		return g
	}
	g.version, g.zones = zones.Version(), zones.Len()
	g.frame(zones)
	g.over = make([]int32, g.cols*g.rows)
	var spans []int
	known := map[string]int32{"": 0}
	for i := range zones.Len() {
		shape := zones.ByIndex(i).Shape
		marked := false
		for _, poly := range shape {
			spans = g.fill(poly, spans[:0])
			for k := 0; k < len(spans); k += 3 {
				for c := spans[k+1]; c <= spans[k+2]; c++ {
					g.add(known, spans[k]*g.cols+c, int32(i))
					marked = true
				}
			}
		}
		if !marked { // smaller than a cell: its own place all the same
			if at, ok := g.cellAt(zones.ByIndex(i).Label); ok {
				g.add(known, at, int32(i))
			}
		}
	}
	g.measure()
	return g
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
	cell := math.Max(widths[len(widths)/2]/cellsPerZone, finestCell)
	least := math.Sqrt(high * broad * cos * metresPerDegree * metresPerDegree / mostCells)
	cell = math.Max(cell, least*1.01)
	g.step = cell / metresPerDegree
	g.wide = g.step / cos
	g.west, g.south = middle+west, south
	g.cols = max(int(math.Ceil(broad/g.wide)), 1)
	g.rows = max(int(math.Ceil(high/g.step)), 1)
}

// fill appends row, first and last column of the cells whose centre is in a polygon.
func (g *Ground) fill(p geo.Polygon, spans []int) []int {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range p.Outer {
		low, high = math.Min(low, float64(v.Lat)), math.Max(high, float64(v.Lat))
	}
	first := max(int(math.Floor((low-g.south)/g.step-0.5)), 0)
	last := min(int(math.Ceil((high-g.south)/g.step-0.5)), g.rows-1)
	crossings := make([][]float64, max(last-first+1, 0))
	g.cross(p.Outer, first, last, crossings)
	for _, h := range p.Holes {
		g.cross(h, first, last, crossings)
	}
	for r, xs := range crossings {
		slices.Sort(xs)
		for k := 0; k+1 < len(xs); k += 2 {
			a := max(int(math.Ceil(xs[k]/g.wide-0.5)), 0)
			b := min(int(math.Floor(xs[k+1]/g.wide-0.5)), g.cols-1)
			if a <= b {
				spans = append(spans, first+r, a, b)
			}
		}
	}
	return spans
}

// cross adds, per row, the degrees east of the west edge at which a ring crosses the
// row's middle.
func (g *Ground) cross(ring geo.Ring, first, last int, out [][]float64) {
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
		from := max(int(math.Ceil((low-g.south)/g.step-0.5)), first)
		for r := from; r <= last; r++ {
			y := g.south + (float64(r)+0.5)*g.step
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

func (g *Ground) cellAt(p geo.Point) (int, bool) {
	c := int(math.Floor(g.eastOf(float64(p.Lon)) / g.wide))
	r := int(math.Floor((float64(p.Lat) - g.south) / g.step))
	if c < 0 || r < 0 || c >= g.cols || r >= g.rows {
		return 0, false
	}
	return r*g.cols + c, true
}

// add puts a zone into a cell. Cells with the same zones share one set.
func (g *Ground) add(known map[string]int32, at int, index int32) {
	old := g.sets[g.over[at]]
	if n := len(old); n > 0 && old[n-1] == index {
		return
	}
	next := append(slices.Clone(old), index)
	key := make([]byte, 0, 4*len(next))
	for _, v := range next {
		key = append(key, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	id, ok := known[string(key)]
	if !ok {
		id = int32(len(g.sets))
		g.sets = append(g.sets, next)
		known[string(key)] = id
	}
	g.over[at] = id
}

// measure finds for each cell how far, in cells, everything around it is of its own set.
func (g *Ground) measure() {
	g.clear = make([]uint8, len(g.over))
	near := func(a, b int) uint8 {
		if g.over[a] != g.over[b] {
			return 0
		}
		return min(g.clear[b], 254) + 1
	}
	for pass := range 2 {
		for k := range g.over {
			i := k
			if pass == 1 {
				i = len(g.over) - 1 - k
			}
			r, c := i/g.cols, i%g.cols
			least := uint8(255)
			if pass == 1 {
				least = g.clear[i]
			}
			back := 1 - 2*pass // the neighbours already done lie before, or behind
			if c-back >= 0 && c-back < g.cols {
				least = min(least, near(i, i-back))
			}
			if r-back >= 0 && r-back < g.rows {
				up := i - back*g.cols
				least = min(least, near(i, up))
				if c > 0 {
					least = min(least, near(i, up-1))
				}
				if c < g.cols-1 {
					least = min(least, near(i, up+1))
				}
			}
			g.clear[i] = least
		}
	}
}
