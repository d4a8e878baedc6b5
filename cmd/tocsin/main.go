// Command tocsin is the one program of the house: it parses the command line,
// prints, and exits 0 (done), 1 (the answer is no) or 2 (wrong use).
//
// In: arguments, files, standard input. Out: results on standard output, everything
// else on standard error. It never holds logic of a room.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// console is what a command may touch of the world outside.
type console struct {
	ctx context.Context
	in  io.Reader
	out io.Writer
	err io.Writer
}

// errNo is the answer no: invalid, unverified, failed. Wrap it to say what; exit code 1.
var errNo = errors.New("no")

// misuse is a command line that cannot be meant; exit code 2.
type misuse struct{ text string }

func (m misuse) Error() string { return m.text }

func usageError(format string, args ...any) error { return misuse{fmt.Sprintf(format, args...)} }

// commands is the command line of cli.md.
type commands struct {
	Demo     demoCmd     `cmd:"" help:"A whole system with simulated radars, in the exercise universe, on http://localhost:8080."`
	Serve    serveCmd    `cmd:"" help:"The real thing."`
	Sim      simCmd      `cmd:"" help:"Run worlds in text through the core and print what changed."`
	Decode   decodeCmd   `cmd:"" help:"Decode foreign bytes."`
	Cap      capCmd      `cmd:"" help:"Check CAP documents and verify their signatures."`
	Zones    zonesCmd    `cmd:"" help:"Check, import, build and compare zone sets."`
	Track    trackCmd    `cmd:"" help:"Run the tracker on a scenario folder."`
	Score    scoreCmd    `cmd:"" help:"Score tracks against the truth of a scenario folder."`
	Forecast forecastCmd `cmd:"" help:"Run a scenario folder through picture, forecast and decision: which zones, how likely, when."`
	Board    boardCmd    `cmd:"" help:"Verify frames of the board."`
	Watch    watchCmd    `cmd:"" help:"Follow a board as a citizen's device does, verifying everything."`
	Vectors  vectorsCmd  `cmd:"" help:"Write the public contract's vectors with their verdicts."`
	Init     initCmd     `cmd:"" help:"Make the root key and the first board key of a universe."`
	Keys     keysCmd     `cmd:"" help:"List, rotate and revoke board keys; make tokens for the desk."`
	Version  versionCmd  `cmd:"" help:"Print the version of this program and of its contract."`
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
	os.Exit(run(&console{ctx: ctx, in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:]))
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
		fmt.Fprintf(c.err, "tocsin: %v\nSay `tocsin --help` for the commands, `tocsin COMMAND --help` for one of them with an example.\n", err)
		return 2
	}
	return exitCode(c, kctx.Run(c))
}

// joined writes `--root KEY` as `--root=KEY`: keys are base64url, and one in 64 begins with
// a dash, which would be taken for a flag; so would a southern --origin.
func joined(args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		if (args[i] == "--root" || args[i] == "--origin") && i+1 < len(args) {
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
		fmt.Fprintf(c.err, "tocsin: %v\n", err)
		return 2
	case err == errNo: // the command has already said what the answer is
		return 1
	default:
		fmt.Fprintf(c.err, "tocsin: %v\n", err)
		return 1
	}
}
