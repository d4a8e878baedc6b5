package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// trouble is an error of the system in an operator's words: what happened, and what to do.
// Errors that are ours already have their words and pass.
func trouble(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer came in time"
	case errors.As(err, &dns):
		return fmt.Sprintf("there is no computer of the name %q; look at the spelling and at this machine's network", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody answers at this address: the service does not run there, or on another port"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return "the other side broke the connection off"
	case errors.As(err, &op):
		return "the network does not lead there; look at this machine's network"
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file; look at the spelling and at the folder you are in"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not touch it; change its permissions or run as its owner"
	case errors.Is(err, syscall.EISDIR):
		return "it is a folder; name a file in it"
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of its path is a file and not a folder; look at the spelling"
	case errors.Is(err, fs.ErrExist):
		return "it is there already; take another name"
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full; make room and try again"
	case errors.Is(err, syscall.EROFS):
		return "nothing can be written there; name another place"
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		return "the system says: " + number.Error()
	}
	return err.Error()
}

// fileError is what a command says where a file is the matter: exit code 1.
func fileError(command, name string, err error) error {
	return unreadable{fmt.Sprintf("%s: %s: %s", command, shownName(name), trouble(err)), err}
}

// unreadable is a fileError: its words, and the error they stand for.
type unreadable struct {
	words string
	err   error
}

func (u unreadable) Error() string { return u.words }

func (u unreadable) Unwrap() error { return u.err }

// shownName is a file's name on one line.
func shownName(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return strconv.Quote(name)
	}
	return name
}

// readFile reads a whole file of at most so many bytes; - is standard input. The errors name
// neither command nor file: fileError does.
func readFile(c *console, name string, most int64) ([]byte, error) {
	b, err := readUpTo(c, name, most)
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("it is larger than %d MiB, more than is ever read; is it the right file?", max(1, most>>20))
	}
	return b, err
}

// readUpTo reads at most one byte more than is wanted, so that what is too long is seen.
func readUpTo(c *console, name string, most int64) ([]byte, error) {
	var in io.Reader
	if c != nil {
		in = c.in
	}
	if name != "-" || c == nil {
		f, err := openFile(name)
		if err != nil {
			return nil, err
		}
		defer f.Close() // read only: nothing can be lost
		in = f
	}
	return io.ReadAll(io.LimitReader(in, most+1))
}

// openFile opens a file to read, and no folder.
func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, syscall.EISDIR
	}
	return f, nil
}

// writeFile writes a file whole or not at all: beside its place, then into it. What is
// neither a file nor absent (a device, a pipe) is written to as it is.
func writeFile(c *console, name string, write func(io.Writer) error) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return syscall.EISDIR
		}
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no folder %s to write it in; make it first", filepath.Dir(name))
		}
		return err
	}
	gone := func() { os.Remove(tmp.Name()) } // after the rename there is nothing to remove
	defer c.atEnd(gone)()
	err = write(tmp)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if closed := tmp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	return err
}
