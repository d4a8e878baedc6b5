//go:build !linux

package asterix

import "syscall"

// prepare has nothing to set here: package net lets multicast listeners share a port.
func prepare(bool) func(network, address string, c syscall.RawConn) error { return nil }

// dropCount is not told by this system.
type dropCount struct{}

func (*dropCount) more([]byte) int { return 0 }
