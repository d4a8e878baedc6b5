package node

import (
	"net"

	"golang.org/x/sys/unix"
)

// unsent bounds what one connection's system buffer holds that is not on its way yet;
// unread, what it takes in before we ask for it.
const (
	unsent = 16 << 10
	unread = 32 << 10
)

// thrifty bounds the memory that the system gives a connection: else a reader who takes
// nothing, or a caller who sends without end, has megabytes of it. What is on its way is not
// bounded, so a fast line stays fast.
func thrifty(tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // it is closed: whoever reads it is told
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, unread)
	})
}
