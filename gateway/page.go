package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tocsin/core/zone"
	"tocsin/web"
)

// page is the citizens' page with its configuration filled in.
type page struct {
	cfg    Page
	files  fs.FS
	policy string
	before []byte // index.html up to the list of warned zones
	after  []byte
	zones  atomic.Pointer[zone.Set]
	static http.Handler
}

func newPage(cfg Page, zones *zone.Set) (*page, error) {
	p := &page{cfg: cfg, files: web.Files(), policy: web.Policy()}
	p.zones.Store(zones)
	index, err := fs.ReadFile(p.files, web.Index)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(cfg) // escapes < as \u003c
	if err != nil {
		return nil, err
	}
	index = bytes.Replace(index, []byte(web.ConfigMark), config, 1)
	var found bool
	if p.before, p.after, found = bytes.Cut(index, []byte(web.ActiveMark)); !found {
		return nil, fmt.Errorf("%s has no %s", web.Index, web.ActiveMark)
	}
	p.static = http.FileServerFS(p.files)
	return p, nil
}

// serve answers with the page or one of its files.
func (p *page) serve(g *Gateway) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", p.policy)
		if r.URL.Path == "/" || r.URL.Path == "/"+web.Index {
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Cache-Control", "no-cache")
			var active []byte
			if b := g.active.Load(); b != nil {
				active = *b
			}
			w.Write(slices.Concat(p.before, p.inWords(active), p.after))
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if info, err := fs.Stat(p.files, name); err != nil || info.IsDir() {
			problem(w, http.StatusNotFound, "nothing here", "The page is at /, the contract under /v1.")
			return
		}
		h.Set("Cache-Control", "public, max-age=300")
		if strings.HasPrefix(name, "assets/") { // their names carry a hash of what is in them
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		p.static.ServeHTTP(w, r)
	}
}

// activeView is the part of /v1/active that a reader without script needs.
type activeView struct {
	Universe string `json:"universe"`
	At       string `json:"at"`
	Picture  string `json:"picture"`
	Zones    []struct {
		ID     zone.ID   `json:"id"`
		Stage  string    `json:"stage"`
		Threat string    `json:"threat"`
		End    string    `json:"end"`
		Until  time.Time `json:"until"`
	} `json:"zones"`
}

// listedZones bounds the list in words; the rest is counted.
const listedZones = 2000

// inWords lists the warned zones for readers without script, in the first language.
func (p *page) inWords(active []byte) []byte {
	var view activeView
	var b bytes.Buffer
	if len(active) == 0 || json.Unmarshal(active, &view) != nil {
		b.WriteString("<p>There is no news yet. Load the page again.</p>")
		return b.Bytes()
	}
	words, lang := wordsIn(p.cfg.Languages)
	fmt.Fprintf(&b, `<section lang="%s" dir="%s">`, lang, direction(lang))
	if view.Universe == "exercise" {
		fmt.Fprintf(&b, "<p><strong>%s</strong></p>", words.exercise)
	}
	if view.Picture == "none" {
		fmt.Fprintf(&b, "<p><strong>%s</strong></p>", words.noPicture)
	}
	set, count := p.zones.Load(), 0
	b.WriteString("<ul>")
	for _, z := range view.Zones {
		if z.Stage == "quiet" && z.End == "" {
			continue
		}
		if count++; count > listedZones {
			continue
		}
		prefix := ""
		if view.Universe == "exercise" {
			prefix = words.exercise + ": "
		}
		name := set.Name(z.ID, lang)
		if z.End != "" {
			fmt.Fprintf(&b, "<li>%s<b>%s</b>: %s</li>", prefix, html.EscapeString(name), words.of(z.End))
			continue
		}
		fmt.Fprintf(&b, "<li>%s<b>%s</b>: %s (%s %s UTC)</li>", prefix, html.EscapeString(name), words.of(z.Stage), words.until, z.Until.UTC().Format("15:04"))
	}
	b.WriteString("</ul>")
	if count == 0 {
		fmt.Fprintf(&b, "<p>%s</p>", words.nothing)
	}
	if count > listedZones {
		fmt.Fprintf(&b, "<p>+%d</p>", count-listedZones)
	}
	fmt.Fprintf(&b, "<p><small>%s</small></p></section>", html.EscapeString(view.At))
	return b.Bytes()
}
