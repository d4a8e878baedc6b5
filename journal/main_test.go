package journal

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	kills     = flag.Int("kills", 50, "how often TestKill kills a process that appends")
	powerCuts = flag.Int("powercuts", 20, "how often TestPowerCut cuts the power of a disk that is written to")
)

// The test binary runs itself as a process that may be killed: childMode says as what, in the
// folder childDir, with names that begin with childName.
const (
	childMode = "JOURNAL_TEST_CHILD"
	childDir  = "JOURNAL_TEST_DIR"
	childName = "JOURNAL_TEST_NAME"
)

func TestMain(m *testing.M) {
	var err error
	switch mode := os.Getenv(childMode); mode {
	case "":
		goleak.VerifyTestMain(m)
	case "append":
		err = appendForEver(os.Getenv(childDir), os.Getenv(childName))
	case "fault":
		err = appendAsTold(os.Getenv(childDir))
	default:
		err = fmt.Errorf("child mode %q", mode)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// appendForEver appends from four goroutines and speaks from one, and tells each outcome on
// the standard output once it is certain: "kept POSITION NAME" and "spoken NAME".
func appendForEver(dir, name string) error {
	j, err := Open(ctx, dir, Options{})
	if err != nil {
		return err
	}
	s, err := OpenSpoken(dir)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for g := range 4 {
		go func() {
			for i := 0; ; i++ {
				first, second := fmt.Sprintf("%s/%d/%d/a", name, g, i), fmt.Sprintf("%s/%d/%d/b", name, g, i)
				filler := make([]byte, i%17*i%23*20)
				p, err := j.Append(ctx, New{time.Now(), "k", append([]byte(first+" "), filler...)}, New{time.Now(), "k", []byte(second + " ")})
				if err != nil {
					failed <- err
					return
				}
				fmt.Printf("kept %d %s\nkept %d %s\n", p-1, first, p, second)
			}
		}()
	}
	go func() {
		for i := 0; i < 2000; i++ {
			body := fmt.Sprintf("%s/s/%d ", name, i)
			if err := s.Append(New{time.Now(), "k", append([]byte(body), make([]byte, i%5*3000)...)}); err != nil {
				failed <- err
				return
			}
			fmt.Printf("spoken %s\n", body)
		}
	}()
	return <-failed
}

// appendAsTold appends one entry for each line on the standard input and tells what became of
// it, "kept", "full", "broken" or "other"; at the end of the input it tells what can be read.
func appendAsTold(dir string) error {
	j, err := Open(ctx, dir, Options{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	var once sync.Once
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		_, err := j.Append(ctx, entry("k", in.Text()))
		switch {
		case err == nil:
			fmt.Println("kept")
		case errors.Is(err, ErrFull):
			fmt.Println("full")
		case errors.Is(err, ErrBroken):
			fmt.Println("broken")
		default:
			fmt.Println("other")
		}
		if err != nil {
			once.Do(func() { fmt.Fprintln(os.Stderr, err) })
		}
	}
	n := 0
	err = j.Read(ctx, 1, func(Entry) error { n++; return nil })
	fmt.Println("read", n)
	return err
}
