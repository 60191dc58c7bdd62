// Command licensor runs and manages the server. It has one subcommand for each task, and one file
// for each subcommand. `licensor help` lists them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"licensor/internal/database"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	os.Exit(execute(ctx, rootCommand(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// rootCommand returns the whole command line. Subcommands are added here and nowhere else.
func rootCommand() *cobra.Command {
	var logs logFlags
	root := &cobra.Command{
		Use:   "licensor",
		Short: "A server for group-based licensing with the API of Microsoft Graph",
		Long: `Licensor manages the users, groups and products of its tenants, assigns licenses directly and through
groups, and serves all of it as Microsoft Graph.

` + exitCodes,
		Args:              cobra.NoArgs,
		Version:           version(),
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return logs.apply(cmd) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceUsage:      true,
		SilenceErrors:     true,
	}
	logs.register(root.PersistentFlags())
	root.AddCommand(
		adminCommand(),
		applyCommand(),
		backupCommand(),
		catalogCommand(),
		checkCommand(),
		configCommand(),
		copyCommand(),
		costsCommand(),
		demoCommand(),
		diffCommand(),
		doctorCommand(),
		driftCommand(),
		errorsCommand(),
		explainCommand(),
		exportCommand(),
		groupsCommand(),
		historyCommand(),
		importCommand(),
		initCommand(),
		keysCommand(),
		logCommand(),
		manCommand(),
		migrateCommand(),
		noticesCommand(),
		overviewCommand(),
		previewCommand(),
		pricesCommand(),
		productsCommand(),
		reprocessCommand(),
		restoreCommand(),
		ruleCommand(),
		serveCommand(),
		swapCommand(),
		tokenCommand(),
		trimCommand(),
		undoCommand(),
		usersCommand(),
		verifyCommand(),
		versionCommand(),
	)
	return root
}

// execute runs a command line and returns the exit code. Commands read and write through
// cmd.InOrStdin, OutOrStdout and ErrOrStderr, and stop when cmd.Context is done.
func execute(ctx context.Context, root *cobra.Command, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	markFailures(root)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %s\n", root.Name(), database.WithoutPasswords(err.Error()))
	}
	if code == exitUsage {
		fmt.Fprintf(stderr, "See %s --help.\n", cmd.CommandPath())
	}
	return code
}
