package track

// bias is what registration has found out about a source's own errors.
type bias struct {
	rng, az float64 // metres, radians: what the source says too much
}

// remove takes the known bias out of a plot.
func (b *bias) remove(g *sighting) {
	g.rng -= b.rng
	g.az -= b.az
}
