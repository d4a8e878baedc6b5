package desk

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Problem is the body of every refusal (RFC 9457, application/problem+json). Its type is
// about:blank, so its title is that of the status.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what is wrong and what to do.
	Detail string `json:"detail"`
	// Field is the member or header that is wrong; empty where none is.
	Field string `json:"field,omitempty"`
	// ID is the command's, once it could be read.
	ID string `json:"id,omitempty"`
}

func (d *Desk) problem(w http.ResponseWriter, status int, field, detail, id string) {
	d.metrics.refused.WithLabelValues(strconv.Itoa(status)).Inc()
	write(w, status, "application/problem+json", Problem{http.StatusText(status), status, detail, field, id})
}

// refused answers with what is wrong with a member.
func (d *Desk) refused(w http.ResponseWriter, status int, f fault, id string) {
	subject := f.field
	if subject == whole {
		subject = "the body"
	}
	d.problem(w, status, f.field, subject+" "+f.what+".", id)
}

// later answers that it is to be asked again after a while.
func (d *Desk) later(w http.ResponseWriter, status int, wait time.Duration, detail, id string) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Max(math.Ceil(wait.Seconds()), 1))))
	d.problem(w, status, "", detail, id)
}

func write(w http.ResponseWriter, status int, media string, body any) {
	b, err := json.Marshal(body)
	if err != nil { // nothing that is written here has a number that JSON lacks
		status, b = http.StatusInternalServerError, []byte(`{"title":"Internal Server Error","status":500}`)
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	// A caller that went away is told nothing; a command that was kept is answered on its repeat.
	_, _ = w.Write(append(b, '\n'))
}
