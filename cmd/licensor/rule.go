package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"licensor/internal/membership"
	"licensor/internal/tables"
)

func ruleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rule",
		Short: "Examine the rules of dynamic groups",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(ruleCheckCommand(), ruleTestCommand())
	return cmd
}

func ruleCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check whether membership rules are valid",
		Long: `Check parses the rule in each file, such as

  (user.department -eq "Sales") -and -not (user.jobTitle -startsWith "SDE")

as groups do when their membershipRule is set, and prints whether it is valid, otherwise what is wrong and where.
The rule is the whole content of the file, without the line end at its end. The name - is the standard input.
Whether the users and groups that a rule names exist is not checked. No server is needed.

The exit code is 4 if a rule is not valid, or uses something that this server does not have, such as devices.`,
		Example: "  licensor rule check sales.rule marketing.rule\n" +
			"  echo 'user.department -eq \"Sales\"' | licensor rule check -",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return checkRules(cmd, args, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkedRule is the result for a file.
type checkedRule struct {
	File    string `json:"file"`
	Valid   bool   `json:"valid"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Line    int    `json:"line,omitempty"`   // from 1
	Column  int    `json:"column,omitempty"` // in characters, from 1

	text string // the line
}

func checkRules(cmd *cobra.Command, files []string, asJSON bool) error {
	rules, wrong := make([]checkedRule, len(files)), 0
	for i, file := range files {
		text, err := readRule(file, cmd.InOrStdin())
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if rules[i] = checkRule(file, text); !rules[i].Valid {
			wrong++
		}
	}
	if err := printRules(cmd.OutOrStdout(), rules, asJSON); err != nil {
		return err
	}
	if wrong > 0 {
		return damaged(fmt.Errorf("%d of %d rules are not valid", wrong, len(files)))
	}
	return nil
}

// maxRuleFile is the maximum length of a file, in bytes. A rule has at most 3,072 characters.
const maxRuleFile = 1 << 20

func readRule(name string, stdin io.Reader) (string, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		stdin = file
	}
	data, err := io.ReadAll(io.LimitReader(stdin, maxRuleFile+1))
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxRuleFile:
		return "", errors.New("the file has more than 1 MB; name a file that has one rule")
	case !utf8.Valid(data):
		return "", errors.New("the file is not in UTF-8; save it in this encoding")
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

func checkRule(file, text string) checkedRule {
	_, err := membership.Parse(text)
	wrong, ok := errors.AsType[*membership.RefusalError](err)
	if !ok {
		return checkedRule{File: file, Valid: true}
	}
	before := string([]rune(text)[:wrong.At-1])
	start := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	return checkedRule{
		File: file, Code: wrong.Code(), Message: wrong.Message, text: line,
		Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[start:]) + 1,
	}
}

func printRules(w io.Writer, rules []checkedRule, asJSON bool) error {
	if asJSON {
		return writeJSON(w, struct {
			Rules []checkedRule `json:"rules"`
		}{rules})
	}
	for _, r := range rules {
		if _, err := io.WriteString(w, r.explain()); err != nil {
			return err
		}
	}
	return nil
}

// explain returns lines for people that end with a line end.
func (r *checkedRule) explain() string {
	if r.Valid {
		return r.File + ": valid\n"
	}
	shown, caret := marked(r.text, r.Column)
	return fmt.Sprintf("%s:%d:%d: %s\n    %s\n    %s\n", r.File, r.Line, r.Column, r.Message, shown, caret)
}

// aroundMark is how many characters of a line are shown before and after a mark.
const aroundMark = 60

// marked returns the part of a line around a character, and a line with a caret under it.
func marked(line string, column int) (shown, caret string) {
	all := []rune(line)
	at := min(column-1, len(all))
	from, to := max(0, at-aroundMark), min(len(all), at+aroundMark)
	part := tables.OneLine(string(all[from:to]))
	if to < len(all) {
		part += "…"
	}
	if from > 0 {
		part, at = "…"+part, at+1
	}
	return strings.TrimRight(part, " "), strings.Repeat(" ", at-from) + "^"
}
