package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrHeld says that another process holds the folder; errors.As to *HeldError names it.
var ErrHeld = errors.New("held by another process")

// HeldError names the process that holds a folder. PID is 0 if it has not said who it is: it
// took the lock an instant ago.
type HeldError struct {
	Dir     string
	PID     int
	Since   time.Time // when it took the folder, UTC
	Command string    // its command line, cut to 256 bytes
}

// Error says who holds the folder and what to do.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("journal: open %s: held by another process that is just starting; only one may use the folder", e.Dir)
	}
	return fmt.Sprintf("journal: open %s: held by process %d (%s) since %s; stop it, or choose another data folder",
		e.Dir, e.PID, e.Command, e.Since.UTC().Format(time.RFC3339))
}

// Is makes errors.Is(err, ErrHeld) true.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// holder is what the lock file says of who holds it.
type holder struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

const (
	lockName   = "lock"
	maxHolder  = 4096 // bytes of a lock file that are read
	maxCommand = 256
	fileMode   = 0o600
	folderMode = 0o700
)

// takeLock takes the folder's lock, which the kernel gives up when the process ends, however
// it ends. The file is never removed: whoever waits would then hold a lock on nothing.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, fmt.Errorf("journal: lock: %w", err)
	}
	if err := flock(f); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, heldBy(dir, f)
		}
		return nil, fmt.Errorf("journal: lock %s: %w", f.Name(), err)
	}
	command := strings.ToValidUTF8(strings.Join(os.Args, " "), "?")
	text, err := json.Marshal(holder{os.Getpid(), time.Now().UTC().Truncate(time.Millisecond), command[:min(len(command), maxCommand)]})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		// A full disk must not keep the program from starting; the next one then
		// reads that somebody holds the folder, and not who.
		_, err = f.WriteAt(append(text, '\n'), 0)
		if isNoSpace(err) {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// heldBy reads who holds the lock. Between taking the lock and writing the file the text is
// empty or of the last holder, which is dead; so a dead holder is not believed.
func heldBy(dir string, f *os.File) error {
	var h holder
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil || json.Unmarshal(text, &h) != nil || h.PID <= 0 || !alive(h.PID) {
		return &HeldError{Dir: dir}
	}
	return &HeldError{Dir: dir, PID: h.PID, Since: h.Since, Command: h.Command[:min(len(h.Command), maxCommand)]}
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// isNoSpace tells a disk, quota or file that is full from one that is broken.
func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
