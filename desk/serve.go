package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"tocsin/core/alert"
	"tocsin/core/pipeline"
	"tocsin/core/warning"
)

// maxBody bounds the body of a command.
const maxBody = 64 << 10

// Answer is the body of 201: the command was kept and carried out. Position is where the
// journal keeps it.
type Answer struct {
	ID       string       `json:"id"`
	Accepted bool         `json:"accepted"`
	Warnings []warning.ID `json:"warnings"`
	Alerts   []alert.ID   `json:"alerts"`
	Position int64        `json:"position"`
}

func (d *Desk) serveCommand(w http.ResponseWriter, r *http.Request) {
	g, ok := d.admit(w, r)
	if !ok {
		return
	}
	body, ok := d.read(w, r)
	if !ok {
		return
	}
	started := time.Now()
	c, f := decode(body)
	if f != nil {
		d.refused(w, http.StatusBadRequest, *f, c.ID)
		return
	}
	defer func() { d.metrics.seconds.WithLabelValues(string(c.Action)).Observe(time.Since(started).Seconds()) }()
	if scope := scopes[c.Action]; !slices.Contains(g.Scopes, scope) {
		d.refused(w, http.StatusForbidden, fault{"action", fmt.Sprintf("is %s, which the token %s may not do; its scopes are %s", c.Action, g.Name, list(g.Scopes))}, c.ID)
		return
	}
	// A repeat is answered before anything that depends on the time is looked at.
	e, claimed := d.commands.find(c.ID, c.content(g.Name))
	if claimed == isFresh {
		order, no := d.check(d.cfg.Now(), g, c)
		if no != nil {
			d.refused(w, no.status, no.fault, c.ID)
			return
		}
		if e, claimed = d.commands.begin(c.ID, order.Content); claimed == isFresh {
			go d.carry(context.WithoutCancel(r.Context()), order, e)
		}
	}
	switch claimed {
	case isOther:
		d.refused(w, http.StatusConflict, fault{"id", "was used for a command with other content, or by another token; nothing was done. Take another id; ids of all tokens are one space, so begin them with your name"}, c.ID)
		return
	case isBusy:
		d.later(w, http.StatusTooManyRequests, time.Second, "Too many commands are being carried out; nothing was done. Give it again, with the same id.", c.ID)
		return
	}
	d.await(w, r, c.ID, e)
}

// read takes the body in, within its bounds of size and time.
func (d *Desk) read(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := parameters["charset"]; err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		w.Header().Set("Accept-Post", "application/json")
		d.problem(w, http.StatusUnsupportedMediaType, "Content-Type", "Content-Type must be application/json.", "")
		return nil, false
	}
	if r.Header.Get("Content-Encoding") != "" {
		d.problem(w, http.StatusUnsupportedMediaType, "Content-Encoding", "The body must come as it is, without an encoding.", "")
		return nil, false
	}
	control := http.NewResponseController(w)
	// A writer of a test has no connection that could be slow.
	_ = control.SetReadDeadline(time.Now().Add(d.cfg.BodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		d.problem(w, http.StatusRequestEntityTooLarge, whole, fmt.Sprintf("The body is over %d bytes; name regions in place of zones, or give several commands.", maxBody), "")
		return nil, false
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		d.problem(w, http.StatusRequestTimeout, whole, fmt.Sprintf("The body did not end within %s.", d.cfg.BodyTime), "")
		return nil, false
	case err != nil:
		d.problem(w, http.StatusBadRequest, whole, "The body broke off.", "")
		return nil, false
	}
	_ = control.SetReadDeadline(time.Time{})
	return body, true
}

// carry has an order carried out, whether or not its caller still waits: what is begun has
// one outcome, and a repeat is told it.
func (d *Desk) carry(ctx context.Context, o pipeline.Order, e *entry) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.AnswerTime)
	defer cancel()
	a, err := d.cfg.Carrier.Carry(ctx, o)
	if err != nil && !errors.Is(err, ErrUnanswered) && !errors.Is(err, ErrNotKept) {
		err = fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	d.commands.settle(o.ID, e, a, err)
}

// await answers a command once it is carried out.
func (d *Desk) await(w http.ResponseWriter, r *http.Request, id string, e *entry) {
	timer := time.NewTimer(d.cfg.AnswerTime)
	defer timer.Stop()
	select {
	case <-e.done:
	case <-r.Context().Done():
		return
	case <-timer.C:
		d.later(w, http.StatusGatewayTimeout, time.Second, "There is no answer yet, and the command may still be carried out. Give it again with the same id: it is carried out once, and you are told what became of it.", id)
		return
	}
	switch {
	case errors.Is(e.err, ErrUnanswered):
		d.later(w, http.StatusGatewayTimeout, 5*time.Second, "The command is kept, and is carried out when the program runs again. Give it again with the same id to be told what became of it.", id)
	case e.err != nil:
		d.later(w, http.StatusServiceUnavailable, 5*time.Second, "The command could not be kept, so it is not carried out: the disk is full or failed. Automatic warnings go on. GET /v1/conditions says what is not well; give the command again with the same id.", id)
	case e.answer.Refused != "" && e.answer.Field == "id":
		d.refused(w, http.StatusConflict, fault{e.answer.Field, e.answer.Refused}, id)
	case e.answer.Refused != "":
		d.refused(w, http.StatusUnprocessableEntity, fault{e.answer.Field, e.answer.Refused}, id)
	default:
		out := Answer{ID: id, Accepted: true, Warnings: e.answer.Warnings, Alerts: e.answer.Alerts, Position: e.answer.Position}
		if out.Warnings == nil {
			out.Warnings = []warning.ID{}
		}
		if out.Alerts == nil {
			out.Alerts = []alert.ID{}
		}
		write(w, http.StatusCreated, "application/json", out)
	}
}
