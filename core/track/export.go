package track

// export is the object as a Track, believed at a time that is not before its last observation.
func (o *object) export(at tick) Track {
	m := &o.memory
	b := &m.blend
	if at > m.at {
		moved := *b
		moved.predict(&m.frame.world, (at - m.at).seconds(), true)
		if m.depths == 0 {
			moved.bandHeight(m.frame)
		}
		b = &moved
	} else {
		at = m.at
	}
	s := b.one()
	out := Track{
		ID: o.id, Revision: o.revision, At: at.time(), Status: o.status, Reason: o.reason, Into: o.into,
		State:     m.frame.export(&s),
		Modes:     b.modes(),
		Class:     m.kind(&s),
		Existence: o.existence(),
		Identity:  m.verdict(&s),
		Updates:   o.updates,
		Sources:   make([]Contribution, 0, o.count),
		Since:     o.since.time(),
		SeenAt:    o.seenAt.time(),
		Missed:    o.memory.missed,
		Recent:    o.recents(),
	}
	for i := range 3 {
		for j := range 3 {
			out.State.Covariance[i][j] += o.carried[i][j]
		}
	}
	for i := range o.parts[:o.count] {
		p := &o.parts[i]
		out.Sources = append(out.Sources, Contribution{Source: p.source.reg.ID, Kind: p.source.reg.Kind, LastAt: p.lastAt.time()})
	}
	return out
}

// modes are the weights by what forecasts tell apart. What a motor drives does not fall freely.
func (b *blend) modes() Modes {
	return Modes{Steady: b.w[quiet] + b.w[steady], Manoeuvre: b.w[left] + b.w[right] + b.w[driven], Ballistic: b.falls()}
}

// falls is the weight of free fall, in air or above it.
func (b *blend) falls() float64 { return b.w[ballistic] + b.w[braked] }

// export turns a belief into the earth-fixed frame.
func (f *frame) export(s *state) (out State) {
	var back mat3
	for i := range 3 {
		for j := range 3 {
			back[i][j] = f.rot[j][i]
		}
	}
	out.Position = f.from(s.p)
	out.Velocity = apply(&back, s.v)
	turn := func(m *mat3) mat3 { h := times(&back, m); return timesT(&h, &back) }
	pp, pv, vv := turn(&s.pp), turn(&s.pv), turn(&s.vv)
	for i := range 3 {
		for j := range 3 {
			out.Covariance[i][j] = pp[i][j]
			out.Covariance[i][j+3] = pv[i][j]
			out.Covariance[j+3][i] = pv[i][j]
			out.Covariance[i+3][j+3] = vv[i][j]
		}
	}
	return out
}
