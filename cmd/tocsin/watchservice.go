package main

import (
	"bufio"
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
	"strings"
	"time"

	"tocsin/board"
)

// service is a warning service by HTTP. Nothing it says is believed here.
type service struct {
	base  *url.URL
	http  *http.Client
	retry time.Duration // what the stream asked for between two attempts
}

const (
	getWithin  = 10 * time.Second
	maxBody    = 2*board.MaxFrame + 1024 // two lines
	firstRetry = 2 * time.Second
)

func newService(base *url.URL) *service {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = getWithin
	return &service{base: base, http: &http.Client{Transport: transport}, retry: firstRetry}
}

func (s *service) address(path string, query url.Values) string {
	u := s.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return u.String()
}

// get reads a small document.
func (s *service) get(ctx context.Context, path string, query url.Values) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, getWithin)
	defer stop()
	resp, err := s.ask(ctx, path, query)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err == nil && len(b) > maxBody {
		err = fmt.Errorf("%s: over %d bytes", s.address(path, query), maxBody)
	}
	return b, err
}

func (s *service) ask(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address(path, query), nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", req.URL, resp.Status)
	}
	return resp, nil
}

// stream sends the frames of Server-Sent Events until the connection or the context ends.
func (s *service) stream(ctx context.Context, regions []string, frames chan<- []byte) error {
	resp, err := s.ask(ctx, "v1/stream", url.Values{"region": regions})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/event-stream" {
		return fmt.Errorf("%s is no stream of events", resp.Request.URL)
	}
	if err := s.events(ctx, resp.Body, frames); !errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%s ended the stream", s.base)
}

// events sends the frames among the lines of a stream; io.EOF is its end.
func (s *service) events(ctx context.Context, stream io.Reader, frames chan<- []byte) error {
	in := bufio.NewReaderSize(stream, 64<<10)
	for {
		line, err := readLineBounded(ctx, in, board.MaxFrame+len("data: "))
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if ms, ok := bytes.CutPrefix(line, []byte("retry:")); ok {
			// Read by the watcher only after this goroutine has ended.
			if n, err := strconv.Atoi(strings.TrimSpace(string(ms))); err == nil && n > 0 && n < 60_000 {
				s.retry = time.Duration(n) * time.Millisecond
			}
		}
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			continue
		}
		select {
		case frames <- bytes.TrimPrefix(data, []byte(" ")):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// backoff is how long to wait after so many attempts in a row that brought nothing.
func (s *service) backoff(failures int) time.Duration {
	d := s.retry
	for range min(failures-1, 10) {
		d = min(2*d, slowest)
	}
	return jittered(d)
}

// trimLine is the one line of a document.
func trimLine(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }

// rootOnPage reads the root key from the page's configuration.
func rootOnPage(page []byte) (string, error) {
	const mark = `id="tocsin"`
	_, rest, found := bytes.Cut(page, []byte(mark))
	if found {
		_, rest, found = bytes.Cut(rest, []byte(">"))
	}
	text, _, closed := bytes.Cut(rest, []byte("</script>"))
	if !found || !closed {
		return "", errors.New("it has no configuration")
	}
	var config struct {
		Root string `json:"root"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return "", fmt.Errorf("its configuration: %w", err)
	}
	if config.Root == "" {
		return "", errors.New("its configuration names none")
	}
	return config.Root, nil
}
