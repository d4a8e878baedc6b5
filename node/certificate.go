package node

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"tocsin/health"
)

// maxPEM is what is read of a certificate's file or its key's.
const maxPEM = 1 << 20

// expiring is how long before its end a certificate is told of.
const expiring = 14 * 24 * time.Hour

// certificate is the pair that a door answers with. The files may be changed while it runs:
// connections that begin then get the new pair. look belongs to one goroutine.
type certificate struct {
	files   TLS
	current atomic.Pointer[tls.Certificate]
	seen    [2]os.FileInfo
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// look reads the files where they changed since they were looked at. An error is a new pair
// that cannot be used; the one before stays.
func (c *certificate) look() error {
	var now [2]os.FileInfo
	same := true
	for i, name := range []string{c.files.Cert, c.files.Key} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		old := c.seen[i]
		same = same && old != nil && os.SameFile(old, info) && old.Size() == info.Size() && old.ModTime().Equal(info.ModTime())
		now[i] = info
	}
	if same {
		return nil
	}
	cert, err := readFile(c.files.Cert, maxPEM)
	if err != nil {
		return err
	}
	key, err := readFile(c.files.Key, maxPEM)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.files.Cert, c.files.Key, err)
	}
	c.current.Store(&pair)
	c.seen = now // only what is in use: a pair that is refused is looked at again
	return nil
}

// watchCertificate takes up a renewed certificate of the public door, and tells of one that
// cannot be used or ends soon.
func (n *Node) watchCertificate(now time.Time) {
	c := n.public.pair
	if c == nil {
		return
	}
	refused := health.Condition{Name: "tls-refused", Subject: n.public.name, At: now.UTC()}
	if err := c.look(); err != nil {
		refused.Raised, refused.Detail = true, err.Error()+"; the certificate before is used on: put a pair in place that belongs together"
	}
	n.condition(refused)
	ends := c.current.Load().Leaf.NotAfter
	n.condition(health.Condition{
		Name: "tls-ends", Subject: n.public.name, Raised: ends.Sub(now) < expiring, At: now.UTC(),
		Detail: "the certificate ends at " + ends.UTC().Format(time.RFC3339) + ": renew it; a running system takes it up",
	})
}
