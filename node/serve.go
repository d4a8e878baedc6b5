package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"tocsin/health"
)

// Bounds of the two doors, where the system lets the process open as many files. Each door
// holds more connections than it serves requests at once (streams, commands and strangers),
// so that there is one to let go for a newcomer.
const (
	publicConnections = 18_000
	deskConnections   = 1_024
	ownFiles          = 500 // for the journal, sensors, keys and what else is opened
	headerLimit       = 16 << 10
	headerTime        = 5 * time.Second
	idleTime          = 15 * time.Second
	closeTime         = 3 * time.Second
)

// places is how the files that a process may open are shared out.
type places struct {
	public, streams, desk int
	files                 int
}

// placesOf keeps the doors below the number of files: at the bound of a door a stranger is let go, but
// at that of the system the journal could not be opened.
func placesOf(files int) places {
	desk := max(min(deskConnections, files/8), 16)
	public := max(min(publicConnections, files-desk-min(ownFiles, files/4)), 48)
	return places{public: public, streams: public / 6 * 5, desk: desk, files: files}
}

// door is one HTTP listener.
type door struct {
	name     string
	listener net.Listener
	crowd    *crowd
	server   *http.Server
	pair     *certificate // nil: plain HTTP
}

// openDoor listens, so that a port that is taken is told before anything starts.
func openDoor(ctx context.Context, name, address string, t TLS, connections int, h http.Handler) (*door, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("node: %s: %w", name, cannotListen(address, err))
	}
	held := newCrowd(l, connections)
	l = held
	s := &http.Server{
		Handler: attended(h), ConnContext: withGuest,
		ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerLimit,
	}
	d := &door{name: name, crowd: held, server: s}
	if t.Cert != "" {
		d.pair = &certificate{files: t}
		if err := d.pair.look(); err != nil {
			l.Close()
			return nil, fmt.Errorf("node: %s: tls: %w", name, err)
		}
		s.TLSConfig = &tls.Config{GetCertificate: d.pair.get, MinVersion: tls.VersionTLS12}
		l = tls.NewListener(l, s.TLSConfig)
	}
	d.listener = l
	return d, nil
}

// cannotListen says why a port cannot be listened at, and what to do.
func cannotListen(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("another program listens on %s already: stop it, or name another port", address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("this user may not listen on %s: name a port over 1023", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine: name one that is, or leave the host out", address)
	}
	return fmt.Errorf("cannot listen on %s: %w", address, err)
}

// serve answers until the context ends; note is told when the door is crowded.
func (d *door) serve(ctx context.Context, note func(health.Condition)) error {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	group.Go(func() { d.crowd.watch(ctx, d.name, note) })
	stopped := make(chan error, 1)
	go func() { stopped <- d.server.Serve(d.listener) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("node: %s: %w", d.name, err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := d.server.Shutdown(limit); err != nil {
		d.server.Close()
	}
	if err := <-stopped; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("node: %s: %w", d.name, err)
	}
	return nil
}

// bounded gives each request a time to be read and answered in; a stream sets its own.
func bounded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		control.SetReadDeadline(time.Now().Add(10 * time.Second))
		control.SetWriteDeadline(time.Now().Add(30 * time.Second))
		h.ServeHTTP(w, r)
	})
}
