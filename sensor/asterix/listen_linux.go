package asterix

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// prepare sets what must stand before the socket is bound: several listeners of one
// group may share its port, a listener hears only the group it joined, and the system says
// how many datagrams it dropped.
func prepare(multicast bool) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			if multicast {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
				level, all := unix.IPPROTO_IP, unix.IP_MULTICAST_ALL
				if network == "udp6" {
					level, all = unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL
				}
				// Old kernels do not know it: then datagrams of other groups on this port are
				// counted as those of unknown sources.
				_ = unix.SetsockoptInt(int(fd), level, all, 0)
			}
			// Nice to have: without it drops are not counted.
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
		})
		if err != nil {
			return err
		}
		return failed
	}
}

// dropCount follows the counter that comes with a datagram once something was dropped.
type dropCount struct{ last uint32 }

// more is how many datagrams were dropped since the last call.
func (d *dropCount) more(control []byte) int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_RXQ_OVFL && len(m.Data) >= 4 {
			now := binary.NativeEndian.Uint32(m.Data)
			n := now - d.last
			d.last = now
			return int(n)
		}
	}
	return 0
}
