// Package asterix is the edge to radars and trackers that speak ASTERIX over UDP.
//
// In: datagrams of categories 048 (plots), 034 (what the radar says of itself), 062 (tracks
// of a foreign tracker), 063 and 065 (its signs of life), unicast or multicast. Out: Plot,
// SensorTrack and Absence observations of the registered sources, and conditions. What is
// not decoded, not registered or not an object is counted and named, never dropped in
// silence. It never follows or fuses anything.
//
// Sources: EUROCONTROL-SPEC-0149 parts 2b, 4, 9, 10 and 11.
package asterix

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"tocsin/core/geo"
	"tocsin/core/observation"
	"tocsin/health"
	"tocsin/sensor"
	wire "tocsin/wire/asterix"
)

// Config is one registered source.
type Config struct {
	ID     string // of the source, as the core knows it
	Listen string // udp://239.1.1.1:8600, udp://0.0.0.0:8600; ?interface=eth1 for multicast
	// SAC and SIC are how it names itself. Several sources may share one address.
	SAC, SIC uint8
	Editions wire.Editions // of the specification it follows; nil is all defaults
	Site     geo.Position  // antenna, or the reference point of a tracker's plane
	Errors   observation.Errors
	Coverage observation.Coverage
	Period   time.Duration // one turn of the antenna; 0 is 4 s
	// Simulated lets through what the source itself calls a simulation or a test: for
	// exercises. Otherwise it is counted and set aside.
	Simulated bool
}

// ErrConfig is wrapped by what Feeds refuses.
var ErrConfig = errors.New("feed cannot be configured so")

// Feeds groups sources by the address they are heard on: one Feed an address.
func Feeds(configs []Config, note func(health.Condition)) ([]*Feed, error) {
	var out []*Feed
	ids := map[string]bool{}
	for _, c := range configs {
		if c.ID == "" || ids[c.ID] {
			return nil, fmt.Errorf("asterix: source %q: %w: its id is empty or used twice", c.ID, ErrConfig)
		}
		ids[c.ID] = true
		if c.Period <= 0 {
			c.Period = 4 * time.Second
		}
		at, err := parseAddress(c.Listen)
		if err != nil {
			return nil, fmt.Errorf("asterix: source %q: %w", c.ID, err)
		}
		var f *Feed
		for _, have := range out {
			if have.address == at {
				f = have
			}
		}
		if f == nil {
			if f, err = newFeed(at, c.Editions, note); err != nil {
				return nil, fmt.Errorf("asterix: source %q: %w", c.ID, err)
			}
			out = append(out, f)
		}
		if err := f.add(c); err != nil {
			return nil, fmt.Errorf("asterix: source %q: %w", c.ID, err)
		}
	}
	return out, nil
}

// address is where a feed listens.
type address struct {
	at    netip.AddrPort
	iface string // for multicast; empty lets the system choose
}

func (a address) String() string {
	s := "udp://" + a.at.String()
	if a.iface != "" {
		s += "?interface=" + url.QueryEscape(a.iface)
	}
	return s
}

func parseAddress(s string) (address, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "udp" || u.User != nil || u.Path != "" || u.Fragment != "" {
		return address{}, fmt.Errorf("%w: %q is not like udp://239.1.1.1:8600", ErrConfig, s)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return address{}, fmt.Errorf("%w: %q has no port from 0 to 65535", ErrConfig, s)
	}
	host := u.Hostname()
	if host == "" {
		host = "0.0.0.0"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return address{}, fmt.Errorf("%w: %q is no IP address", ErrConfig, host)
	}
	a := address{at: netip.AddrPortFrom(ip.Unmap(), uint16(port)), iface: u.Query().Get("interface")}
	for key := range u.Query() {
		if key != "interface" {
			return address{}, fmt.Errorf("%w: %q says %q; only interface is known", ErrConfig, s, key)
		}
	}
	if a.iface != "" {
		if !ip.IsMulticast() {
			return address{}, fmt.Errorf("%w: %q: an interface is for multicast", ErrConfig, s)
		}
		if _, err := net.InterfaceByName(a.iface); err != nil {
			return address{}, fmt.Errorf("%w: interface %q: %v", ErrConfig, a.iface, err)
		}
	}
	return a, nil
}

func (f *Feed) add(c Config) error {
	key := identity{c.SAC, c.SIC}
	if have := f.sources[key]; have != nil {
		return fmt.Errorf("%w: %s on %s is source %q already", ErrConfig, key, f.address, have.ID)
	}
	if !reflect.DeepEqual(f.editions, c.Editions) && len(f.editions)+len(c.Editions) > 0 {
		return fmt.Errorf("%w: other editions than another source on %s: the octets do not say whose they are", ErrConfig, f.address)
	}
	if !c.Site.Valid() {
		return fmt.Errorf("%w: site %v is no place", ErrConfig, c.Site)
	}
	f.sources[key] = newSource(c)
	f.watched = append(f.watched, sensor.Source{ID: c.ID, Period: c.Period})
	return nil
}

// identity is SAC and SIC: how a source names itself.
type identity struct{ sac, sic uint8 }

func (i identity) String() string { return fmt.Sprintf("SAC %d SIC %d", i.sac, i.sic) }
