package asterix

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"tocsin/core/observation"
	"tocsin/health"
	"tocsin/sensor"
	wire "tocsin/wire/asterix"
)

const patience = 10 * time.Second

// running is a feed on a real socket.
type running struct {
	t    *testing.T
	feed *Feed
	at   netip.AddrPort
	got  chan observation.Observation
	done chan error
}

// start listens as configured and reads until the test ends.
func start(t *testing.T, c Config) *running {
	t.Helper()
	feeds, err := Feeds([]Config{c}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := listen(ctx, feeds[0].address)
	if err != nil {
		cancel()
		t.Skipf("this machine has no such socket: %v", err)
	}
	r := &running{t: t, feed: feeds[0], got: make(chan observation.Observation, 100), done: make(chan error, 1)}
	r.at = netip.AddrPortFrom(feeds[0].address.at.Addr(), conn.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	go func() { r.done <- feeds[0].serve(ctx, conn, r.take) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-r.done:
		case <-time.After(patience):
			t.Error("does not end")
		}
	})
	return r
}

// take keeps what there is room for.
func (r *running) take(o observation.Observation) {
	select {
	case r.got <- o:
	default:
	}
}

func (r *running) next() observation.Observation {
	r.t.Helper()
	select {
	case o := <-r.got:
		return o
	case <-time.After(patience):
		r.t.Fatal("nothing heard")
	}
	return observation.Observation{}
}

func plotNow(t *testing.T) []byte {
	return octets(t, record(t, 48, set{"140", tod(time.Now().UTC())}, set{"020/TYP", 1}, set{"040/RHO", 5.0}, set{"040/THETA", 45.0}))
}

func send(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, to netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestUnicast(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		c := radar()
		c.Listen = "udp://" + host + ":0"
		r := start(t, c)
		conn := dial(t, r.at)
		send(t, conn, nil)                  // empty
		send(t, conn, []byte("hello"))      // of another protocol
		send(t, conn, make([]byte, 60_000)) // large and empty of sense
		send(t, conn, plotNow(t)[:12])      // cut
		send(t, conn, plotNow(t))
		o := r.next()
		if age := time.Since(o.ObservedAt); o.Source != "north" || o.Body.(observation.Plot).Azimuth != 45 || age < -time.Second || age > patience {
			t.Errorf("%+v", o)
		}
		if s := r.feed.Stats(); s.Observations != 1 || s.Faults < 3 {
			t.Errorf("%+v", s)
		}
	}
}

func TestMulticast(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("this machine has no interface lo")
	}
	c := radar()
	c.Listen = "udp://239.77.1.1:0?interface=lo"
	first := start(t, c)
	c.Listen = "udp://239.77.1.1:" + strconv.Itoa(int(first.at.Port())) + "?interface=lo"
	second := start(t, c) // the same group and port, as another program might
	c.Listen = "udp://239.77.1.2:" + strconv.Itoa(int(first.at.Port())) + "?interface=lo"
	other := start(t, c)
	conn := dial(t, first.at)
	p := ipv4.NewPacketConn(conn.(*net.UDPConn))
	if err := p.SetMulticastInterface(lo); err != nil {
		t.Skipf("this machine does not send multicast on lo: %v", err)
	}
	if err := p.SetMulticastLoopback(true); err != nil {
		t.Skipf("this machine does not send multicast to itself: %v", err)
	}
	send(t, conn, plotNow(t))
	first.next()
	second.next()
	if n := other.feed.Stats().Datagrams; n != 0 {
		t.Errorf("%d datagrams of another group", n)
	}
}

func TestPortThatIsTaken(t *testing.T) {
	r := start(t, radar())
	c := radar()
	c.Listen = "udp://" + r.at.String()
	feeds, err := Feeds([]Config{c}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := feeds[0].Run(t.Context(), nil); err == nil {
		t.Error("two feeds on one unicast port")
	}
}

// A whole feed as the node runs it: silent from the start, heard, silent, heard again.
func TestKeptFeed(t *testing.T) {
	probe, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	at := probe.LocalAddr().(*net.UDPAddr).AddrPort()
	c := radar()
	c.Listen, c.Period = "udp://"+at.String(), 50*time.Millisecond
	feeds, err := Feeds([]Config{c}, nil)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan health.Condition, 1000)
	got := make(chan observation.Observation, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	var kept sync.WaitGroup
	kept.Go(func() {
		sensor.Keep(ctx, feeds[0], sensor.Options{Feed: feeds[0].Name(), Sources: feeds[0].Sources(),
			Note: func(c health.Condition) { said <- c }}, func(o observation.Observation) { got <- o })
	})
	defer kept.Wait()
	defer cancel()
	await := func(name string, raised bool) {
		t.Helper()
		for deadline := time.After(patience); ; {
			select {
			case c := <-said:
				if c.Name == name && c.Raised == raised {
					return
				}
			case <-deadline:
				t.Fatalf("never told: %s %v", name, raised)
			}
		}
	}
	await(sensor.FeedFailed, true) // the port is taken
	await(sensor.FeedSilent, true)
	probe.Close()
	conn := dial(t, at)
	stop := make(chan struct{})
	var sender sync.WaitGroup
	plot := plotNow(t)
	sender.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				conn.Write(plot) // refused until the feed listens
			}
		}
	})
	await(sensor.FeedFailed, false)
	await(sensor.FeedSilent, false)
	close(stop)
	sender.Wait()
	await(sensor.FeedSilent, true)
	if len(got) == 0 {
		t.Error("no observation")
	}
}

// A flood is read without growing: what the feed keeps is bounded, what is lost is told.
func TestFlood(t *testing.T) {
	r := start(t, radar())
	conn := dial(t, r.at)
	var records []wire.Record
	for i := range 40 {
		records = append(records, record(t, 48, set{"010/SIC", i}, set{"020/TYP", 1}, set{"040/RHO", 5.0}))
	}
	b := octets(t, records...)
	for range 20_000 {
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.After(patience)
	for {
		s := r.feed.Stats()
		if s.Datagrams+s.Overrun >= 19_000 {
			t.Logf("%+v", s)
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%+v", s)
		case <-time.After(20 * time.Millisecond):
		}
		send(t, conn, b) // the count of what was dropped comes with the next datagram
	}
}
