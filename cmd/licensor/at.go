package main

import (
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

// past holds the flag of commands that can print what was at an earlier time.
type past struct{ text string }

func (p *past) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.text, "at", "", "as it was then: a time, a date, or how long ago, such as 7d")
}

// set adds the time to a query.
func (p *past) set(query url.Values) error {
	if p.text == "" {
		return nil
	}
	at, err := parseTime("--at", p.text)
	if err != nil {
		return err
	}
	query.Set("at", at.Format(time.RFC3339))
	return nil
}
