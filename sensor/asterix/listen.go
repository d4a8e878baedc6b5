package asterix

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"tocsin/core/observation"
)

const (
	maxDatagram   = 65536
	receiveBuffer = 8 << 20     // asked of the system; it may give less
	idle          = time.Second // at most between two looks at the clock
	restless      = 100 * time.Millisecond
)

// listen opens the socket of an address, and joins the group of a multicast one.
func listen(ctx context.Context, a address) (*net.UDPConn, error) {
	network := "udp4"
	if a.at.Addr().Is6() {
		network = "udp6"
	}
	lc := net.ListenConfig{Control: prepare(a.at.Addr().IsMulticast())}
	c, err := lc.ListenPacket(ctx, network, a.at.String())
	if err != nil {
		return nil, err
	}
	conn := c.(*net.UDPConn)
	if err := join(conn, a); err != nil {
		conn.Close()
		return nil, err
	}
	if err := conn.SetReadBuffer(receiveBuffer); err != nil {
		conn.Close()
		return nil, fmt.Errorf("receive buffer: %w", err)
	}
	return conn, nil
}

func join(conn *net.UDPConn, a address) error {
	group := a.at.Addr()
	if !group.IsMulticast() {
		return nil
	}
	var iface *net.Interface
	if a.iface != "" {
		var err error
		if iface, err = net.InterfaceByName(a.iface); err != nil {
			return fmt.Errorf("interface %q: %w", a.iface, err)
		}
	}
	to := &net.UDPAddr{IP: group.AsSlice()}
	var err error
	if group.Is4() {
		err = ipv4.NewPacketConn(conn).JoinGroup(iface, to)
	} else {
		err = ipv6.NewPacketConn(conn).JoinGroup(iface, to)
	}
	if err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	return nil
}

// serve reads datagrams until the context ends or the socket fails. It closes the socket.
func (f *Feed) serve(ctx context.Context, conn *net.UDPConn, emit func(observation.Observation)) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	b := make([]byte, maxDatagram)
	control := make([]byte, 128)
	drops := dropCount{}
	ticked := time.Now()
	for {
		if now := time.Now(); now.Sub(ticked) >= restless {
			ticked = now
			f.tick(now.UTC(), emit)
		}
		if err := conn.SetReadDeadline(time.Now().Add(f.patience())); err != nil && ctx.Err() == nil {
			return fmt.Errorf("asterix: read from %s: %w", f.Name(), err)
		}
		n, m, _, _, err := conn.ReadMsgUDPAddrPort(b, control)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			return fmt.Errorf("asterix: read from %s: %w", f.Name(), err)
		}
		received := time.Now().UTC()
		if lost := drops.more(control[:m]); lost > 0 {
			f.lost(lost, received)
		}
		f.hear(b[:n], received, emit)
	}
}

// patience is how long to wait for the next datagram: shorter while looks are held back.
func (f *Feed) patience() time.Duration {
	for _, s := range f.sources {
		if len(s.sweep.held) > 0 {
			return restless
		}
	}
	return idle
}

// lost counts datagrams that the system dropped because they were not read in time.
func (f *Feed) lost(n int, now time.Time) {
	f.overrun.Add(now, n, func() string { return "datagrams dropped by the system before they could be read" }, f.note)
	f.blind(now, "reports were dropped before they could be read")
	f.mu.Lock()
	f.stats.Overrun += n
	f.mu.Unlock()
}
