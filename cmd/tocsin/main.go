// Command tocsin is the one program of the house: it parses the command line,
// prints, and exits.
//
// In: arguments, files, standard input. Out: results on standard output, everything
// else on standard error. It never holds logic of a room.
//
// The exit code has one rule for all commands. 0: done. 1: the answer is no, or what was
// asked could not be done; a file that is missing or cannot be read is that. 2: the command
// line cannot be meant, which shows without looking at anything outside it.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// console is what a command may touch of the world outside.
type console struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
	err io.Writer

	patience atomic.Int64 // how long an interrupted command may take, as a time.Duration; 0: interruptPatience
	mu       sync.Mutex
	ends     map[int]func() // what must be done even where the command does not come to its end
	next     int
}

// interruptPatience is how long a command has to end by itself once it is told to. One that
// waits in a read that nothing can wake, of a pipe without a writer say, is ended then.
const interruptPatience = 700 * time.Millisecond

// atEnd keeps what must be done at the end, however the program ends; it is done by calling
// what is returned.
func (c *console) atEnd(do func()) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ends == nil {
		c.ends = map[int]func(){}
	}
	id := c.next
	c.next++
	c.ends[id] = do
	return func() {
		c.mu.Lock()
		delete(c.ends, id)
		c.mu.Unlock()
		do()
	}
}

// giveUp waits until an interrupted command has had its time, and then ends the program.
func (c *console) giveUp() {
	<-c.ctx.Done()
	time.Sleep(cmp.Or(time.Duration(c.patience.Load()), interruptPatience))
	c.mu.Lock()
	for _, do := range c.ends {
		do()
	}
	fmt.Fprintln(c.err, "tocsin: interrupted; what was not finished is not done")
	os.Exit(1)
}

// errNo is the answer no: invalid, unverified, failed; exit code 1. The command has said
// what the answer is before it returns this.
var errNo = errors.New("no")

// misuse is a command line that cannot be meant; exit code 2.
type misuse struct{ text string }

func (m misuse) Error() string { return m.text }

func usageError(format string, args ...any) error { return misuse{fmt.Sprintf(format, args...)} }

// commands is the command line of cli.md.
type commands struct {
	Demo      demoCmd      `cmd:"" help:"A whole system with simulated radars, in the exercise universe, on http://localhost:8080."`
	Serve     serveCmd     `cmd:"" help:"The real thing."`
	Sim       simCmd       `cmd:"" help:"Run worlds in text through the core and print what changed."`
	Replay    replayCmd    `cmd:"" help:"Give the alarms of a recorded night, or of years, to a system's door."`
	Explain   explainCmd   `cmd:"" help:"Why a place is or was in its stage, from the journal."`
	Decode    decodeCmd    `cmd:"" help:"Decode foreign bytes."`
	Cap       capCmd       `cmd:"" help:"Check CAP documents and verify their signatures."`
	Zones     zonesCmd     `cmd:"" help:"Check, import, build and compare zone sets."`
	Track     trackCmd     `cmd:"" help:"Run the tracker on a scenario folder."`
	Score     scoreCmd     `cmd:"" help:"Score tracks against the truth of a scenario folder."`
	Scorecard scorecardCmd `cmd:"" help:"Measure forecast and decision on simulated raids with their truth."`
	Forecast  forecastCmd  `cmd:"" help:"Run a scenario folder through picture, forecast and decision: which zones, how likely, when."`
	Board     boardCmd     `cmd:"" help:"Verify frames of the board."`
	Watch     watchCmd     `cmd:"" help:"Follow a board as a citizen's device does, verifying everything."`
	Vectors   vectorsCmd   `cmd:"" help:"Write the public contract's vectors with their verdicts."`
	Init      initCmd      `cmd:"" help:"Make the root key and the first board key of a universe."`
	Keys      keysCmd      `cmd:"" help:"List, rotate and revoke board keys; make tokens for the desk."`
	Version   versionCmd   `cmd:"" help:"Print the version of this program and of its contract."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks; a command that waits for input is not left waiting, and a second
	// signal ends the process.
	context.AfterFunc(ctx, func() {
		stop()
		os.Stdin.Close()
	})
	c := &console{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr}
	go c.giveUp()
	os.Exit(run(c, os.Args[1:]))
}

// run is main without the process: the exit code is its result.
func run(c *console, args []string) int {
	var cmds commands
	exit := -1
	parser, err := kong.New(&cmds,
		kong.Name("tocsin"),
		kong.Description("An open civil early-warning system: from detections to one signed statement of who must take shelter, and until when."),
		kong.Writers(c.out, c.err),
		kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintf(c.err, "tocsin: %v\n", err)
		return 2
	}
	kctx, err := parser.Parse(joined(args))
	if exit >= 0 { // --help has printed and asked to end
		return exit
	}
	if err != nil {
		fmt.Fprintf(c.err, "tocsin: %s\nSay `tocsin --help` for the commands, `tocsin COMMAND --help` for one of them with an example.\n", plain(err))
		return 2
	}
	return exitCode(c, kctx.Run(c))
}

// dashed are the flags whose value may begin with a dash.
var dashed = []string{"--root", "--origin", "--at"}

// joined writes `--root KEY` as `--root=KEY`: keys are base64url, and one in 64 begins with
// a dash, which would be taken for a flag; so would a southern place.
func joined(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if slices.Contains(dashed, args[i]) && i+1 < len(args) {
			out = append(out, args[i]+"="+args[i+1])
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}

func exitCode(c *console, err error) int {
	var wrong misuse
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(c.err, "tocsin: %s\n", plain(err))
		return 2
	case errors.Is(err, errNo):
		// Alone it says nothing, for the command has said what the answer is.
		if text := strings.TrimSuffix(strings.TrimSuffix(plain(err), errNo.Error()), ": "); text != "" {
			fmt.Fprintf(c.err, "tocsin: %s\n", text)
		}
		return 1
	case c.ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(c.err, "tocsin: interrupted; what was not finished is not done")
		return 1
	default:
		fmt.Fprintf(c.err, "tocsin: %s\n", plain(err))
		return 1
	}
}
