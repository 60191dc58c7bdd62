package main

import (
	"encoding/json"
	"net/url"

	"github.com/spf13/cobra"

	"licensor/internal/tables"
)

// costsHistory holds the arguments of the command costs history.
type costsHistory struct {
	reading
	from, to, step string
}

func costsHistoryCommand() *cobra.Command {
	var h costsHistory
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show what seats have cost per month, step by step",
		Long: `History prints the sums of licensor costs at each step between two times, of the tenant as it was then and with the prices
of that day: at most 400 rows.`,
		Example: "  licensor costs history --info demo.json\n" +
			"  licensor costs history --from 2026-01-01 --to 2026-02-01 --step P7D --csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return h.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&h.from, "from", "",
		"the first time: a time, a date, or how long ago, such as 90d; by default, what is kept of the 30 days "+
			"before the last")
	f.StringVar(&h.to, "to", "", "the last time; now by default")
	f.StringVar(&h.step, "step", "", "time between two rows, such as P1D, which is the default, or PT1H")
	h.register(cmd, "steps", 0)
	return cmd
}

func (h *costsHistory) run(cmd *cobra.Command) error {
	query := url.Values{"$top": nil}
	if err := setSpan(query, h.from, h.to); err != nil {
		return err
	}
	if h.step != "" {
		query.Set("step", h.step)
	}
	return h.printList(cmd, list{
		path: "/licensor/v1/costs/history", query: query, none: "There is nothing to show.",
		columns: append([]tables.Column{{Title: "TIME", Name: "dateTime", Whole: true}}, costColumns...),
		row:     rows(printCostStep),
	})
}

// costStep is what seats have cost at a time.
type costStep struct {
	DateTime string
	Costs    []costSum
}

func printCostStep(t *tables.Writer, raw json.RawMessage, step *costStep) error {
	sums := step.Costs
	if t.JSON() || len(sums) == 0 {
		sums = []costSum{{}} // one row, without any cost
	}
	for i := range sums {
		if err := t.Row(raw, append([]any{step.DateTime}, sums[i].cells()...)...); err != nil {
			return err
		}
	}
	return nil
}
