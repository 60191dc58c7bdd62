package main

import (
	"io"

	"github.com/spf13/cobra"

	"licensor"
)

func noticesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "notices",
		Short: "Print the licenses of this program and its dependencies",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), licensor.Notices())
			return err
		},
	}
}
