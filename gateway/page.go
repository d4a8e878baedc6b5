package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/core/zone"
	"tocsin/web"
)

// page is the citizens' page with its configuration filled in.
type page struct {
	cfg    Page
	policy string
	before []byte // index.html up to the list of warned zones
	after  []byte
	files  map[string]*file

	mu    sync.Mutex // one request writes the list, the others wait for it
	zones *zone.Set
	from  *[]byte // the state that shown was made of
	shown []byte
}

// file is one of the page's own files.
type file struct {
	kind  string
	plain []byte
	etag  string
	once  sync.Once
	gzip  []byte // nil where it is not smaller
}

// kinds are the files that a page may have, whatever the system's own table says.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".geojson": "application/geo+json", ".html": "text/html; charset=utf-8",
	".ico": "image/vnd.microsoft.icon", ".js": "text/javascript; charset=utf-8", ".json": "application/json",
	".mjs": "text/javascript; charset=utf-8", ".mp3": "audio/mpeg", ".pbf": "application/x-protobuf", ".png": "image/png",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".wav": "audio/wav",
	".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff2": "font/woff2",
}

func newPage(cfg Page, zones *zone.Set) (*page, error) {
	p := &page{cfg: cfg, policy: web.Policy(), files: map[string]*file{}, zones: zones}
	files := web.Files()
	index, err := fs.ReadFile(files, web.Index)
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(cfg) // escapes < as \u003c
	if err != nil {
		return nil, err
	}
	head, tail, found := bytes.Cut(index, []byte(web.ConfigMark))
	if !found {
		return nil, fmt.Errorf("%s has no %s", web.Index, web.ConfigMark)
	}
	index = slices.Concat(head, config, tail)
	if p.before, p.after, found = bytes.Cut(index, []byte(web.ActiveMark)); !found {
		return nil, fmt.Errorf("%s has no %s", web.Index, web.ActiveMark)
	}
	return p, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == web.Index {
			return err
		}
		kind := kinds[path.Ext(name)]
		if kind == "" {
			kind = "application/octet-stream"
		}
		b, err := fs.ReadFile(files, name)
		p.files[name] = &file{kind: kind, plain: b, etag: tagOf(b)}
		return err
	})
}

// setZones takes other names for the list.
func (p *page) setZones(set *zone.Set) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.zones, p.shown = set, nil
}

// packed is the file compressed, made when it is first asked for.
func (f *file) packed() []byte {
	f.once.Do(func() {
		if b, err := pack(f.plain); err == nil && len(b) < len(f.plain)*9/10 {
			f.gzip = b
		}
	})
	return f.gzip
}

// serve answers with the page or one of its files.
func (p *page) serve(g *Gateway) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", p.policy)
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" || name == web.Index {
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Cache-Control", "no-cache")
			serveBytes(w, p.whole(g.active.Load()))
			return
		}
		f := p.files[name]
		if f == nil {
			problem(w, http.StatusNotFound, "nothing here", "The page is at /, the contract under /v1.")
			return
		}
		h.Set("Content-Type", f.kind)
		h.Set("Vary", "Accept-Encoding")
		h.Set("Cache-Control", "public, max-age=300")
		if strings.HasPrefix(name, "assets/") { // their names carry a hash of what is in them
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if packed := f.packed(); packs(r) && packed != nil {
			h.Set("Content-Encoding", "gzip")
			serveTagged(w, r, "W/"+f.etag, packed)
			return
		}
		serveTagged(w, r, f.etag, f.plain)
	}
}

// whole is the page with the list of what is warned now. When sirens sound, everyone loads
// it: the list is written once for each state, not for each reader.
func (p *page) whole(active *[]byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown == nil || p.from != active {
		var state []byte
		if active != nil {
			state = *active
		}
		p.from, p.shown = active, slices.Concat(p.before, p.inWords(state), p.after)
	}
	return p.shown
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
	set, count := p.zones, 0
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
