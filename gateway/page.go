package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
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
	cfg      Page
	policy   string
	book     *web.Phrasebook
	at       *time.Location // of the times in words
	parts    [3][]byte      // index.html before, between and after its language and its list
	manifest *file
	files    map[string]*file

	mu    sync.Mutex // one request writes the list, the others wait for it
	zones *zone.Set
	from  *[]byte          // the state that shown was made of
	shown map[string]*file // by language
	shell map[string]*file // the page without a list, by language
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

func newPage(cfg Page, zones *zone.Set, at *time.Location) (*page, error) {
	if at == nil {
		at = time.UTC
	}
	p := &page{cfg: cfg, policy: web.Policy(), at: at, files: map[string]*file{}, zones: zones, shown: map[string]*file{}, shell: map[string]*file{}}
	var err error
	if p.book, err = web.Phrases(); err != nil {
		return nil, err
	}
	if err := p.readIndex(); err != nil {
		return nil, err
	}
	if err := p.makeManifest(); err != nil {
		return nil, err
	}
	files := web.Files()
	return p, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == web.Index {
			return err
		}
		kind := kinds[path.Ext(name)]
		if kind == "" {
			kind = "application/octet-stream"
		}
		b, err := fs.ReadFile(files, name)
		p.files[name] = newFile(kind, b)
		return err
	})
}

// readIndex cuts the page at its marks and fills its configuration in.
func (p *page) readIndex() error {
	index, err := fs.ReadFile(web.Files(), web.Index)
	if err != nil {
		return err
	}
	config, err := json.Marshal(p.cfg) // escapes < as \u003c
	if err != nil {
		return err
	}
	rest, found := index, false
	for i, mark := range []string{web.LanguageMark, web.ConfigMark, web.ActiveMark} {
		var part []byte
		if part, rest, found = bytes.Cut(rest, []byte(mark)); !found {
			return fmt.Errorf("%s has no %s", web.Index, mark)
		}
		switch i {
		case 0:
			p.parts[0] = part
		case 1:
			p.parts[1] = slices.Concat(part, config)
		case 2:
			p.parts[1] = append(p.parts[1], part...)
		}
	}
	p.parts[2] = rest
	return nil
}

// makeManifest says what the page is called and looks like once a device has installed it.
func (p *page) makeManifest() error {
	type icon struct {
		Source  string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	name, mark, colour := cmp.Or(p.cfg.Name, "Tocsin"), "icon", "#1f4f8f"
	lang := p.language("", "")
	words, _ := p.book.In(lang)
	if p.cfg.Universe == exercise {
		name, mark, colour = words.Exercise+": "+name, "exercise", "#5a2a9c"
	}
	var icons []icon
	for _, size := range []string{"192", "512"} {
		icons = append(icons, icon{"/" + mark + "-" + size + ".png", size + "x" + size, "image/png", "any maskable"})
	}
	b, err := json.Marshal(map[string]any{
		"id": "/", "name": name, "short_name": name, "lang": lang, "dir": words.Dir, "start_url": "/", "scope": "/",
		"display": "standalone", "background_color": "#f5f6f8", "theme_color": colour, "icons": icons,
	})
	p.manifest = newFile(kinds[".webmanifest"], b)
	return err
}

func newFile(kind string, b []byte) *file { return &file{kind: kind, plain: b, etag: tagOf(b)} }

// setZones takes other names for the list.
func (p *page) setZones(set *zone.Set) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.zones, p.shown = set, map[string]*file{}
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

// shellName is the name under which the page is had without a list: what a device keeps to
// open offline must hold nothing that grows old.
const shellName = web.Index

// serve answers with the page or one of its files.
func (p *page) serve(g *Gateway) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", p.policy)
		name := strings.TrimPrefix(r.URL.Path, "/")
		var f *file
		switch name {
		case "", shellName:
			lang := p.language(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
			f = p.whole(g.active.Load(), lang, name == shellName)
			h.Set("Content-Language", lang)
			h.Set("Vary", "Accept-Encoding, Accept-Language")
			h.Set("Cache-Control", "public, max-age=2")
		case "app.webmanifest":
			f = p.manifest
			h.Set("Vary", "Accept-Encoding")
			h.Set("Cache-Control", "public, max-age=300")
		case workerName:
			// Browsers look whether it has changed: an old one would keep an old page alive.
			f = p.files[name]
			h.Set("Vary", "Accept-Encoding")
			h.Set("Cache-Control", "no-cache")
		default:
			f = p.files[name]
			h.Set("Vary", "Accept-Encoding")
			h.Set("Cache-Control", "public, max-age=300")
			if strings.HasPrefix(name, "assets/") { // their names carry a hash of what is in them
				h.Set("Cache-Control", "public, max-age=31536000, immutable")
			}
		}
		if f == nil {
			h.Del("Vary")
			problem(w, http.StatusNotFound, "nothing here", "The page is at /, the contract under /v1.")
			return
		}
		h.Set("Content-Type", f.kind)
		if packed := f.packed(); packs(r) && packed != nil {
			h.Set("Content-Encoding", "gzip")
			g.serveTagged(w, r, "W/"+f.etag, packed)
			return
		}
		g.serveTagged(w, r, f.etag, f.plain)
	}
}

// workerName is the page's service worker.
const workerName = "worker.js"

// whole is the page with the list of what is warned now, or without one. When sirens sound,
// everyone loads it: it is written once for each state and language, not for each reader.
func (p *page) whole(active *[]byte, lang string, bare bool) *file {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from != active {
		p.from, p.shown = active, map[string]*file{}
	}
	of := p.shown
	if bare {
		of = p.shell
	}
	if of[lang] == nil {
		var state []byte
		if active != nil && !bare {
			state = *active
		}
		words, _ := p.book.In(lang)
		universe := "" // the style of an exercise holds before, and without, any script
		if p.cfg.Universe == exercise {
			universe = ` data-universe="` + exercise + `"`
		}
		start := fmt.Appendf(nil, `<html lang="%s" dir="%s"%s>`, lang, words.Dir, universe)
		of[lang] = newFile(kinds[".html"], slices.Concat(p.parts[0], start, p.parts[1], p.inWords(state, words, lang), p.parts[2]))
	}
	return of[lang]
}
