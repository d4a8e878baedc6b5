package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// child is a process of this test binary.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	errors bytes.Buffer
}

func startChild(t *testing.T, mode, dir, name string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(self)}
	c.cmd.Env = append(os.Environ(), childMode+"="+mode, childDir+"="+dir, childName+"="+name)
	c.cmd.Stderr = &c.errors
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		c.in, err = c.cmd.StdinPipe()
	}
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	c.out = bufio.NewScanner(out)
	return c
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// line is the next line of the child, "" at its end.
func (c *child) line() string {
	if c.out.Scan() {
		return c.out.Text()
	}
	return ""
}

// ledger is what a folder's processes have promised so far.
type ledger struct {
	kept   map[Position]string
	spoken []string
	// dark is set once the power is being cut. What is heard from then on binds nobody: with
	// real power nothing is said any more, but under FS_IOC_SHUTDOWN a sync that is under way
	// may be told that it succeeded (ext4 looks for the shutdown when a sync begins, and finds
	// no transaction left to wait for when it ends).
	dark atomic.Bool
}

func (l *ledger) note(line string) {
	if l.dark.Load() {
		return
	}
	var p Position
	var name string
	if n, _ := fmt.Sscanf(line, "kept %d %s", &p, &name); n == 2 {
		l.kept[p] = name
	} else if n, _ := fmt.Sscanf(line, "spoken %s", &name); n == 1 {
		l.spoken = append(l.spoken, name)
	}
}

// runUntil runs a child that appends until stop is called by chance: after a random time from
// its start, so also in the middle of opening, or after a random number of promises. It notes
// every promise that came out whole and returns what the child complained of.
func (l *ledger) runUntil(t *testing.T, random *rand.Rand, dir, name string, stop func(*child)) (complaint string) {
	c := startChild(t, "append", dir, name)
	promises := random.IntN(60)
	if random.IntN(4) == 0 {
		promises = 1 << 30
		stopped := make(chan struct{})
		timer := time.AfterFunc(time.Duration(random.IntN(120_000))*time.Microsecond, func() {
			defer close(stopped)
			stop(c)
		})
		defer func() {
			if !timer.Stop() {
				<-stopped // it may still hold the disk
			}
		}()
	}
	before := len(l.kept)
	for c.out.Scan() {
		// The last line may be cut short only if it has no newline; a Scanner hands
		// it out all the same, and then it is no promise. Lines are written whole,
		// by one write(2) of less than a pipe's atomic size, so there is none such.
		l.note(c.out.Text())
		if len(l.kept)-before >= promises {
			promises = 1 << 30
			stop(c)
		}
	}
	c.kill()
	return c.errors.String()
}

// check opens what the process left and holds it against its promises.
func (l *ledger) check(t *testing.T, dir, name string, spokenToo bool) {
	t.Helper()
	j, err := Open(ctx, dir, Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer j.Close()
	if d := j.Damage(); d != nil {
		t.Fatalf("%s: %v", name, d)
	}
	seen := make(map[string]bool)
	at := Position(0)
	if err := j.Read(ctx, 1, func(e Entry) error {
		at++
		id, _, _ := strings.Cut(string(e.Body), " ")
		if seen[id] || e.Position != at {
			t.Errorf("%s: %s at %d: twice, or out of place", name, id, e.Position)
		}
		if want, promised := l.kept[e.Position]; promised && want != id {
			t.Errorf("%s: at %d stands %s, promised was %s", name, e.Position, id, want)
		}
		seen[id] = true
		return nil
	}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for p, id := range l.kept {
		if !seen[id] {
			t.Fatalf("%s: %s was promised at %d and is lost (%d entries are there)", name, id, p, at)
		}
	}
	s, err := OpenSpoken(dir)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer s.Close()
	var spoken []string
	var unknown []New // taken in as the node does
	if err := s.Read(func(n New) error {
		id, _, _ := strings.Cut(string(n.Body), " ")
		spoken = append(spoken, id)
		if !seen[id] {
			unknown = append(unknown, n)
		}
		return nil
	}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for some := range slices.Chunk(unknown, MaxAppend) {
		mustAppend(t, j, some...)
	}
	if spokenToo && (len(spoken) < len(l.spoken) || strings.Join(spoken[:len(l.spoken)], " ") != strings.Join(l.spoken, " ")) {
		t.Errorf("%s: spoken %d and promised %d differ", name, len(spoken), len(l.spoken))
	}
	l.spoken = nil
	if err := s.Reset(); err != nil {
		t.Fatal(err)
	}
}

// TestKill kills a process that appends, at random instants, and wants everything it was told
// to be kept to be there: in its place, once, the chain whole.
func TestKill(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 12))
	var l *ledger
	var dir string
	promised := 0
	for i := range *kills {
		if i%10 == 0 {
			if l != nil {
				promised += len(l.kept)
			}
			l, dir = &ledger{kept: make(map[Position]string)}, t.TempDir()
		}
		name := fmt.Sprintf("kill%d", i)
		if complaint := l.runUntil(t, random, dir, name, (*child).interrupt); complaint != "" {
			t.Fatalf("%s: the child says: %s", name, complaint)
		}
		l.check(t, dir, name, true)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d kills, %d promises, all kept", *kills, promised+len(l.kept))
}

// interrupt sends SIGKILL and leaves the waiting to whoever reads the output.
func (c *child) interrupt() { _ = c.cmd.Process.Kill() }

// TestPowerCut takes the disk away from under a process that appends, without letting the
// file system write back anything, and wants everything that was told to be kept to be there
// when the disk is mounted again. It needs root, a loop device and mkfs.ext4.
func TestPowerCut(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a disk of its own")
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skip("mkfs.ext4 (package e2fsprogs) is absent")
	}
	base := t.TempDir()
	image, disk := filepath.Join(base, "image"), filepath.Join(base, "disk")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 256<<20), os.Mkdir(disk, 0o700)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, disk).CombinedOutput(); err != nil {
		t.Skipf("loop devices are absent: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", disk).Run() })
	random := rand.New(rand.NewPCG(9, 11))
	l := &ledger{}
	promised := 0
	for i := range *powerCuts {
		dir := filepath.Join(disk, fmt.Sprintf("journal%d", i/10))
		if i%10 == 0 {
			promised += len(l.kept)
			l = &ledger{kept: make(map[Position]string)}
			_ = os.RemoveAll(filepath.Join(disk, fmt.Sprintf("journal%d", i/10-1)))
		}
		name := fmt.Sprintf("cut%d", i)
		// What the child says of a disk that is gone does not matter here.
		_ = l.runUntil(t, random, dir, name, func(c *child) {
			l.dark.Store(true)
			cutPower(t, disk)
			c.interrupt()
		})
		l.dark.Store(false)
		if out, err := exec.Command("umount", disk).CombinedOutput(); err != nil {
			t.Fatalf("umount: %v: %s", err, out)
		}
		if out, err := exec.Command("mount", "-o", "loop", image, disk).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v: %s", err, out)
		}
		l.check(t, dir, name, false)
		if t.Failed() {
			return
		}
	}
	t.Logf("%d power cuts, %d promises, all kept", *powerCuts, promised+len(l.kept))
}

// cutPower stops a file system at once: FS_IOC_SHUTDOWN without flushing its log
// (linux/fs.h; EXT4_GOING_FLAGS_NOLOGFLUSH).
func cutPower(t *testing.T, disk string) {
	const shutdown, noLogFlush = 0x8004587d, 2
	f, err := os.Open(disk)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	flag := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flag))); errno != 0 && errno != syscall.EIO {
		t.Errorf("shutdown of the file system: %v", errno)
	}
}

// TestDiskFaults makes system calls of a running journal fail, and wants it to say so, once
// and for all, and a restart to find everything that was promised.
func TestDiskFaults(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is absent")
	}
	for _, c := range []struct{ name, calls, fault, want string }{
		{"a sync fails", "fsync,fdatasync", "EIO", "broken"},
		{"a sync finds no room", "fsync,fdatasync", "ENOSPC", "broken"},
		{"a write fails", "write,pwrite64,writev,pwritev", "EIO", "broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			kid := startChild(t, "fault", dir, "")
			if kid.line() != "open" {
				t.Fatal(kid.errors.String())
			}
			for range 5 {
				fmt.Fprintln(kid.in, "before")
				if got := kid.line(); got != "kept" {
					t.Fatalf("before the fault: %s", got)
				}
			}
			inject := c.calls + ":error=" + c.fault
			if c.name == "a write fails" { // the pipe's must not
				inject = "pwrite64,pwritev:error=" + c.fault
			}
			detach := trace(t, kid.cmd.Process.Pid, inject)
			fmt.Fprintln(kid.in, "during")
			if got := kid.line(); got != c.want {
				t.Errorf("during the fault: %s, want %s", got, c.want)
			}
			detach()
			fmt.Fprintln(kid.in, "after")
			if got := kid.line(); got != c.want {
				t.Errorf("after the fault: %s, want %s: a retry would lie", got, c.want)
			}
			kid.in.Close()
			if got := kid.line(); got != "read 5" {
				t.Errorf("reading still works: %q", got)
			}
			_ = kid.cmd.Wait()
			j := open(t, dir)
			if p := mustAppend(t, j, entry("k", "next start")); p != 6 && p != 7 {
				t.Errorf("the next start goes on at %d", p)
			}
			if _, bad := readAll(t, j); bad != nil || j.Damage() != nil {
				t.Errorf("the next start finds %v, %v", bad, j.Damage())
			}
		})
	}
}

// trace makes calls of a process fail until detach is called.
func trace(t *testing.T, pid int, inject string) (detach func()) {
	t.Helper()
	calls, _, _ := strings.Cut(inject, ":")
	cmd := exec.Command("strace", "-f", "-p", fmt.Sprint(pid), "-o", "/dev/null", "-e", "trace="+calls, "-e", "inject="+inject)
	pipe, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	detached := false
	detach = func() {
		if !detached {
			detached = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_, _ = io.Copy(io.Discard, pipe)
			_ = cmd.Wait()
		}
	}
	t.Cleanup(detach)
	said := bufio.NewScanner(pipe)
	for said.Scan() {
		if strings.Contains(said.Text(), "attached") {
			return detach
		}
		if strings.Contains(said.Text(), "ptrace") {
			detach()
			t.Skipf("strace may not attach here: %s", said.Text())
		}
	}
	t.Fatal("strace ended at once")
	return nil
}

// TestFullDisk fills a small disk. It needs root, to mount one.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
		t.Skipf("needs root, to mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir := filepath.Join(disk, "data")
	j := open(t, dir)
	s, err := OpenSpoken(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kept := 0
	for range 10 {
		mustAppend(t, j, entry("k", strings.Repeat("x", 5000)))
		kept++
	}
	filler := fill(t, disk)
	for { // what room the log has left of its own is used up first
		if _, err = j.Append(ctx, entry("k", strings.Repeat("x", 5000))); err != nil {
			break
		}
		if kept++; kept > 10_000 {
			t.Fatal("the disk does not get full")
		}
	}
	for range 3 {
		if !errors.Is(err, ErrFull) || errors.Is(err, ErrBroken) {
			t.Fatalf("a full disk: %v", err)
		}
		_, err = j.Append(ctx, entry("k", strings.Repeat("x", 50_000)))
	}
	if err := s.Append(entry("k", strings.Repeat("spoken", 50_000))); err != nil {
		t.Errorf("what must be said has no place on a full disk: %v", err)
	}
	if good, bad := readAll(t, j); len(good) != kept || bad != nil {
		t.Errorf("%d can be read of %d, %v", len(good), kept, bad)
	}
	// A start on a full disk.
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	fillMore(t, filler)
	j, err = Open(ctx, dir, Options{})
	if err != nil {
		t.Fatalf("opening on a full disk: %v", err)
	}
	defer j.Close()
	if p, _ := j.Head(); int(p) != kept || j.Damage() != nil {
		t.Errorf("head %d, %v", p, j.Damage())
	}
	// Room for a short one, not for a long one, in one commit or another.
	if err := filler.Truncate(11 << 20); err != nil {
		t.Fatal(err)
	}
	long, err := j.Start(ctx, New{night, "k", make([]byte, MaxBody)})
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, entry("k", "short"))
	if _, err := long.Result(); !errors.Is(err, ErrFull) {
		t.Errorf("the long one: %v", err)
	}
	kept++
	if err := filler.Truncate(0); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, entry("k", "room again"))
	if good, bad := readAll(t, j); len(good) != kept+1 || bad != nil {
		t.Errorf("%d can be read of %d, %v", len(good), kept+1, bad)
	}
	if stats := j.Stats(); stats.Refused == 0 {
		t.Errorf("nothing was counted as refused: %+v", stats)
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, disk string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	fillMore(t, f)
	return f
}

func fillMore(t *testing.T, f *os.File) {
	t.Helper()
	block := make([]byte, 4096)
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if _, err := f.Write(block); err != nil {
			if !isNoSpace(err) {
				t.Fatal(err)
			}
			return
		}
		if n > 1<<16 {
			t.Fatal("the disk is larger than thought")
		}
	}
}
