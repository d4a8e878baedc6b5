package tracking

import (
	"time"

	"tocsin/core/track"
)

// Play feeds a scenario folder's detections to a picture of its own, scan by scan, in
// the order of their arrival. It belongs to one caller at a time.
type Play struct {
	player *player
	left   []Detection
}

// NewPlay reads a scenario folder. Nothing is fed yet.
func NewPlay(dir string) (*Play, error) {
	s, err := Load(dir)
	if err != nil {
		return nil, err
	}
	ds, err := Detections(dir)
	if err != nil {
		return nil, err
	}
	return &Play{player: newPlayer(s), left: ds}, nil
}

// Picture is what the detections have made so far. Its world is the tangent plane at
// Origin: see Local.
func (p *Play) Picture() *track.Picture { return p.player.picture }

// Sensors are the scenario's.
func (p *Play) Sensors() []Sensor { return p.player.scenario.Sensors }

// Left is how many detections are not fed yet.
func (p *Play) Left() int { return len(p.left) }

// Ends is when, in scenario seconds, the last detection arrives; 0 without any.
func (p *Play) Ends() float64 {
	if len(p.left) == 0 {
		return 0
	}
	return p.left[len(p.left)-1].Arrived
}

// Next is when, in scenario seconds, the next scan arrives; false: there is none.
func (p *Play) Next() (float64, bool) {
	if len(p.left) == 0 {
		return 0, false
	}
	return p.left[0].Arrived, true
}

// Scan feeds the next scan and the sensor's word that it saw nothing more, and returns
// the confirmed tracks that changed, in the order in which they did; they hold until the next
// call. Without a next scan it does nothing.
func (p *Play) Scan() ([]track.Change, error) {
	n := 0
	for n < len(p.left) && p.left[n].Scan == p.left[0].Scan && p.left[n].Sensor == p.left[0].Sensor {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	scan := p.left[:n]
	p.left = p.left[n:]
	return p.player.scan(scan)
}

// Local is a track's state in the scenario's local metres, and the rotation (rows east,
// north, up) that turned it.
func (p *Play) Local(s track.State) (position, velocity [3]float64, rotation [3][3]float64) {
	f := p.player.frame
	return f.To(s.Position), f.ToVelocity(s.Velocity), f.Rotation()
}

// Moment is a scenario's second as a time; Seconds turns it back.
func Moment(t float64) time.Time { return moment(t) }

// Seconds is a time as seconds of the scenario.
func Seconds(t time.Time) float64 { return t.Sub(epoch).Seconds() }
