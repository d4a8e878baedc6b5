package node

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tocsin/journal"
)

// smallDisk is a file system of a few MiB of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=12m"); err != nil {
		t.Skipf("a tmpfs cannot be mounted here (root is needed): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes until nothing more fits, and gives it back when the returned function is called.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 4
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// TestFullDisk is issue 2, bad input: automatic warnings are still spoken, no command is
// accepted that cannot be kept, metrics and log say so; also over a kill -9 on the full disk.
// What was spoken is kept as soon as there is room.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	o := newOffice(t)
	disk := smallDisk(t)
	if err := os.CopyFS(filepath.Join(disk, "data"), os.DirFS(o.cfg.Data)); err != nil {
		t.Fatal(err)
	}
	o.cfg.Data, o.cfg.Zones = filepath.Join(disk, "data"), []string{field(t)}
	cfg := raided(t, o)
	first := o.open(t)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	world := raidWorld(t)
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	c := newCitizen(t, cfg, first.Root())
	group.Go(func() { c.follow(ctx) })
	life := startChild(t, cfg)
	speaks := func(least int) func() bool {
		return func() bool { _, _, boards, _ := c.seen(); return boards >= least }
	}
	await(t, life, "it speaks", speaks(4))

	free := fill(t, disk)
	group.Go(func() { fly(ctx, t, world, strings.TrimPrefix(cfg.Sources[0].Listen, "udp://")) })
	await(t, life, "automatic warnings on a full disk", func() bool { _, changes, _, warned := c.seen(); return changes > 0 && warned > 10 })
	metrics := func() string { return get(t, "http://"+cfg.Desk.Listen+"/metrics", o.secrets["national"]) }
	const raised = `tocsin_condition_raised{name="journal-full"} 1`
	await(t, life, "the metrics say so", func() bool { return strings.Contains(metrics(), raised) })
	a := &authority{office: o, desk: cfg.Desk.Listen}
	body := declareZones("c1", `"apart"`, "shelter", time.Now().Add(time.Hour))
	if status, answer := a.send(t, body); status != http.StatusServiceUnavailable {
		t.Errorf("a command that cannot be kept: %d %s", status, answer)
	}
	await(t, life, "the metrics say that commands are refused", func() bool {
		return strings.Contains(metrics(), `tocsin_condition_raised{name="commands-refused"} 1`)
	})

	_, _, boards, _ := c.seen()
	life.kill(t)
	if log := life.log.String(); !strings.Contains(log, "journal-full") || !strings.Contains(log, "commands-refused") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	life = startChild(t, cfg)
	await(t, life, "after a kill on the full disk it continues", speaks(boards+4))
	// The start folded the log into the file, which may have made room for one.
	status, early := a.send(t, body)
	if status != http.StatusServiceUnavailable && status != http.StatusCreated {
		t.Errorf("after a kill on the full disk a command: %d %s", status, early)
	}

	free()
	await(t, life, "all is well again", func() bool {
		m := metrics()
		return !strings.Contains(m, `name="journal-full"`) && strings.Contains(m, "tocsin_spoken_log_records 0")
	})
	if again, answer := a.send(t, body); again != http.StatusCreated || status == again && answer != early {
		t.Errorf("the command with room: %d %s", again, answer)
	}
	life.kill(t)
	stop()
	group.Wait()
	c.judge(t)
	c.wasKept(t, o.cfg.Data)
}

// wasKept holds what was said against the journal alone.
func (c *citizen) wasKept(t *testing.T, data string) {
	t.Helper()
	j, err := journal.Open(t.Context(), data, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	kept := map[string]bool{}
	err = j.Read(t.Context(), 1, func(e journal.Entry) error {
		for id := range c.alerts {
			if strings.Contains(string(e.Body), `"`+string(id)+`"`) {
				kept[string(id)] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for id := range c.alerts {
		if !kept[string(id)] {
			t.Errorf("alert %s was said and is not kept", id)
		}
	}
}
