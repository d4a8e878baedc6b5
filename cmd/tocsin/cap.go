package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"tocsin/wire/cap12"
)

type capCmd struct {
	Check  capCheckCmd  `cmd:"" help:"Hold CAP 1.2 documents to the standard, beyond what its schema sees."`
	Verify capVerifyCmd `cmd:"" help:"Verify the XML signature of a CAP 1.2 document."`
}

type capCheckCmd struct {
	Files []string `arg:"" name:"file" help:"CAP documents; - is standard input."`
	JSON  bool     `name:"json" help:"One JSON object a file, with every defect and warning."`
}

// Help is the example that --help prints.
func (capCheckCmd) Help() string {
	return `Prints one line a file on standard output, "FILE: ok" or "FILE: bad: rule: what", with the element, its line and
its value. Further defects and the warnings follow on standard error. A warning does not make a document bad.
Exit code 1 if any file is bad or cannot be read.
Example:
  tocsin cap check alert.xml
  curl -s https://example.gov/alert.xml | tocsin cap check -`
}

// capChecked is the --json form of one file.
type capChecked struct {
	File  string `json:"file"`
	Valid bool   `json:"valid"`
	cap12.Report
}

// ruleFile is the rule of a file that cannot be read.
const ruleFile cap12.Rule = "file"

// Run checks each file and has a line for each.
func (k capCheckCmd) Run(c *console) error {
	bad := false
	for _, name := range k.Files {
		var report cap12.Report
		doc, err := readUpTo(c, name, cap12.MaxSize)
		if err != nil {
			report = cap12.Report{Defects: []cap12.Remark{{Rule: ruleFile, What: trouble(err)}}, Warnings: []cap12.Remark{}}
		} else {
			report = cap12.Check(doc)
		}
		bad = bad || !report.Valid()
		if err := k.print(c, name, report); err != nil {
			return err
		}
	}
	if bad {
		return errNo
	}
	return nil
}

func (k capCheckCmd) print(c *console, name string, report cap12.Report) error {
	if k.JSON {
		return json.NewEncoder(c.out).Encode(capChecked{File: name, Valid: report.Valid(), Report: report})
	}
	name = shownName(name)
	verdict, further := "ok", report.Defects
	if !report.Valid() {
		verdict, further = "bad: "+report.Defects[0].String(), report.Defects[1:]
	}
	_, err := fmt.Fprintf(c.out, "%s: %s\n", name, verdict)
	for _, d := range further {
		fmt.Fprintf(c.err, "%s: also bad: %s\n", name, d)
	}
	for _, w := range report.Warnings {
		fmt.Fprintf(c.err, "%s: warning: %s\n", name, w)
	}
	if report.Omitted > 0 {
		fmt.Fprintf(c.err, "%s: and at least %d more\n", name, report.Omitted)
	}
	return err
}

type capVerifyCmd struct {
	File string `arg:"" name:"file" help:"A signed CAP document; - is standard input."`
	Cert string `required:"" placeholder:"PEM" help:"The signer's certificate, which you have from the signer and trust."`
	At   string `placeholder:"TIME" help:"When the certificate must have been valid (RFC 3339); by default when the alert says it was sent."`
	JSON bool   `name:"json" help:"The answer as one JSON object."`
}

// Help is the example that --help prints.
func (capVerifyCmd) Help() string {
	return `Prints "ok" with what was signed and by whom, or "bad" with the reason and exit code 1. Only the key of the
certificate you give counts; what the document says of its own key is not believed.
Example:
  tocsin cap verify alert.xml --cert agency.pem
  tocsin cap verify old-alert.xml --cert agency.pem --at 2026-11-21T20:00:00Z`
}

// capVerified is the --json form of the answer.
type capVerified struct {
	File       string `json:"file"`
	Verified   bool   `json:"verified"`
	Reason     string `json:"reason,omitempty"`
	Identifier string `json:"identifier,omitempty"`
	Sender     string `json:"sender,omitempty"`
	Sent       string `json:"sent,omitempty"`
	Signer     string `json:"signer,omitempty"`
}

// Run verifies the file.
func (k capVerifyCmd) Run(c *console) error {
	var at time.Time
	if k.At != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, k.At); err != nil {
			return usageError("cap verify: --at %q is not a time such as 2026-11-21T20:00:00Z", k.At)
		}
	}
	cert, err := readCertificate(c, k.Cert)
	if err != nil {
		return err
	}
	doc, err := readUpTo(c, k.File, cap12.MaxSize)
	if err != nil {
		return fileError("cap verify", k.File, err)
	}
	answer := capVerified{File: k.File}
	line := ""
	alert, refusal := cap12.Verify(doc, cert, at)
	if refusal != nil {
		answer.Reason = refusal.Error()
		line = "bad: " + answer.Reason
	} else {
		answer.Verified = true
		answer.Identifier, answer.Sender = alert.Identifier, alert.Sender
		answer.Sent, answer.Signer = alert.Sent.Format(time.RFC3339), cert.Subject.String()
		line = fmt.Sprintf("ok: %q of %q, sent %s, signed by %q", answer.Identifier, answer.Sender, answer.Sent, answer.Signer)
	}
	if k.JSON {
		err = json.NewEncoder(c.out).Encode(answer)
	} else {
		_, err = fmt.Fprintln(c.out, line)
	}
	if refusal != nil {
		return errNo
	}
	return err
}

// readCertificate reads a PEM file with one certificate in it.
func readCertificate(c *console, name string) (*x509.Certificate, error) {
	const most = 1 << 20
	bad := func(err error) error { return fileError("cap verify: the certificate", name, err) }
	rest, err := readFile(c, name, most)
	if err != nil {
		return nil, bad(err)
	}
	var found *x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err == nil && found != nil {
			err = errors.New("there is more than one certificate in it; which one signs must be clear")
		}
		if err != nil {
			return nil, bad(err)
		}
		found = cert
	}
	if found == nil {
		return nil, bad(errors.New("there is no certificate in it; a PEM file has a block that begins -----BEGIN CERTIFICATE-----"))
	}
	return found, nil
}
