package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tocsin/desk"
)

// Door takes commands.
type Door interface {
	// Give carries out one command. It is called from several goroutines. An error that is
	// a *Refusal says that the command was not taken; any other ends the replay.
	Give(ctx context.Context, c desk.Command) (desk.Answer, error)
	// Warnings are those in force.
	Warnings(ctx context.Context) ([]desk.Warning, error)
}

// Refusal is a command that the door did not take.
type Refusal struct {
	Status int
	Field  string
	Detail string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("the door refuses: %s: %s (%d)", r.Field, r.Detail, r.Status)
}

// Bounds of an exchange.
const (
	maxAnswer  = 4 << 20
	giveWithin = 30 * time.Second
	attempts   = 40
	longest    = 10 * time.Second // that is waited for at the door's word
)

// Desk is the authority's door of a running system, over HTTP.
type Desk struct {
	base   *url.URL
	secret string
	http   *http.Client
}

// NewDesk makes a client of the desk at a URL, with the secret of a token.
func NewDesk(base *url.URL, secret string, atOnce int) *Desk {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = atOnce
	return &Desk{base: base, secret: secret, http: &http.Client{Transport: transport, Timeout: giveWithin}}
}

// Close lets go of idle connections.
func (d *Desk) Close() { d.http.CloseIdleConnections() }

// Give posts a command. Where the door is busy, or cannot say yet what became of it, the same
// command is given again: it is carried out once.
func (d *Desk) Give(ctx context.Context, c desk.Command) (desk.Answer, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return desk.Answer{}, fmt.Errorf("replay: command %s: %w", c.ID, err)
	}
	var last error
	for range attempts {
		a, wait, err := d.post(ctx, body)
		if err == nil || wait == 0 {
			return a, err
		}
		last = err
		if err := sleep(ctx, wait); err != nil {
			return desk.Answer{}, err
		}
	}
	return desk.Answer{}, fmt.Errorf("replay: command %s: given %d times: %w", c.ID, attempts, last)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// post gives a command once; wait is over 0 where it should be given again after that.
func (d *Desk) post(ctx context.Context, body []byte) (a desk.Answer, wait time.Duration, err error) {
	status, header, b, err := d.ask(ctx, http.MethodPost, "v1/commands", body)
	switch {
	case ctx.Err() != nil:
		return a, 0, ctx.Err()
	case err != nil: // it may have been carried out; given again it is not carried out twice
		return a, time.Second, err
	case status == http.StatusCreated:
		if err := json.Unmarshal(b, &a); err != nil {
			return a, 0, fmt.Errorf("replay: the door's answer: %w", err)
		}
		return a, 0, nil
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout:
		wait = time.Second
		if n, err := strconv.Atoi(header.Get("Retry-After")); err == nil && n > 0 {
			wait = time.Duration(n) * time.Second
		}
		return a, min(wait, longest), refusal(status, header, b)
	}
	return a, 0, refusal(status, header, b)
}

// refusal reads a problem document.
func refusal(status int, header http.Header, b []byte) error {
	r := &Refusal{Status: status, Detail: http.StatusText(status)}
	if kind, _, err := mime.ParseMediaType(header.Get("Content-Type")); err == nil && kind == "application/problem+json" {
		var p desk.Problem
		if json.Unmarshal(b, &p) == nil {
			r.Detail, r.Field = p.Detail, p.Field
		}
	}
	if status == http.StatusUnauthorized || status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		return errors.New("replay: " + r.Error()) // no other command would be taken either
	}
	return r
}

// Warnings asks what is in force.
func (d *Desk) Warnings(ctx context.Context) ([]desk.Warning, error) {
	status, header, b, err := d.ask(ctx, http.MethodGet, "v1/warnings", nil)
	if err == nil && status != http.StatusOK {
		err = refusal(status, header, b)
	}
	var w desk.Warnings
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		return nil, fmt.Errorf("replay: what is in force: %w", err)
	}
	return w.Warnings, nil
}

func (d *Desk) ask(ctx context.Context, method, path string, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("replay: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+d.secret)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("replay: the door: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("replay: the door: %w", err)
	}
	return resp.StatusCode, resp.Header, b, nil
}
