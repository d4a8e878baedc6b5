package desk

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tocsin/health"
)

// maxSecret bounds what is looked at as a token.
const maxSecret = 256

const authorization = "Authorization"

// known reports whether a request has a valid token. It reads the head alone.
func (d *Desk) known(r *http.Request) bool {
	secret, ok := secretOf(r)
	if !ok {
		return false
	}
	_, err := d.cfg.Grants.Grant(d.cfg.Now(), secret)
	return err == nil
}

// secretOf is the token of a request that says exactly one.
func secretOf(r *http.Request) (string, bool) {
	values := r.Header.Values(authorization)
	if len(values) != 1 {
		return "", false
	}
	scheme, secret, _ := strings.Cut(values[0], " ")
	return secret, strings.EqualFold(scheme, "Bearer") && secret != "" && len(secret) <= maxSecret
}

// admit finds who asks, and whether not too often; where it says no, it has answered.
func (d *Desk) admit(w http.ResponseWriter, r *http.Request) (Grant, bool) {
	unknown := func(detail string) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tocsin desk"`)
		d.problem(w, http.StatusUnauthorized, authorization, detail, "")
	}
	if len(r.Header.Values(authorization)) != 1 {
		unknown("Say who you are, once: `Authorization: Bearer TOKEN`; `tocsin keys token add` makes a token.")
		return Grant{}, false
	}
	secret, ok := secretOf(r)
	if !ok {
		unknown("Authorization must be `Bearer TOKEN`.")
		return Grant{}, false
	}
	now := d.cfg.Now()
	g, err := d.cfg.Grants.Grant(now, secret)
	if err != nil {
		if !d.wrong(w, r, now) {
			return Grant{}, false
		}
		if errors.Is(err, ErrTokenOver) {
			unknown("The token's time is over, or has not come; ask for a new one.")
		} else {
			unknown("There is no such token; it may have been removed, or be of the other universe.")
		}
		return Grant{}, false
	}
	if d.guessing.Load() && d.wrongs.full(everyone, now) && d.guessing.CompareAndSwap(true, false) {
		d.cfg.Note(health.Condition{Name: wrongTokens, At: now.UTC()})
	}
	if wait, ok := d.tokens.take(g.Name, now); !ok {
		d.later(w, http.StatusTooManyRequests, wait, fmt.Sprintf("The token %s asks more than %v times a second; nothing was done. Ask again, with the same id.", g.Name, d.cfg.Rate), "")
		return Grant{}, false
	}
	return g, true
}

// wrong makes guessing slow, and tells of it; false where it has answered. A right token is
// never made to wait for wrong ones.
func (d *Desk) wrong(w http.ResponseWriter, r *http.Request, now time.Time) bool {
	d.metrics.wrong.Inc()
	w.Header().Set("Connection", "close")
	if wait, ok := d.wrongs.take(everyone, now); !ok {
		if d.guessing.CompareAndSwap(false, true) {
			d.cfg.Note(health.Condition{Name: wrongTokens, Raised: true, At: now.UTC(), Detail: "many requests with wrong tokens: someone is guessing, or a program has an old one"})
		}
		d.later(w, http.StatusTooManyRequests, wait, "There is no such token, and too many wrong ones come in.", "")
		return false
	}
	if d.cfg.Slow > 0 {
		timer := time.NewTimer(d.cfg.Slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
	}
	return true
}
