//go:build !linux

package node

import "net"

// thrifty bounds the memory that the system gives a connection, as closely as it can be
// bounded everywhere.
func thrifty(tcp *net.TCPConn) {
	_ = tcp.SetWriteBuffer(64 << 10)
	_ = tcp.SetReadBuffer(32 << 10)
}
