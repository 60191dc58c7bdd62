package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completionTime is how long a shell waits for names. A person waits for them between two keys.
const completionTime = 2 * time.Second

// mostCompletions is how many names a shell gets.
const mostCompletions = 50

// completer returns the names that begin with a text, each with a description behind a tab.
type completer func(ctx context.Context, c *connection, prefix string) ([]string, error)

// complete registers what completes flags by names of the server. The arguments of the command are
// completed by the empty flag, each of them if the command takes several.
func (c *connecting) complete(cmd *cobra.Command, flags map[string]completer) {
	for flag, names := range flags {
		f := c.completion(names)
		if flag != "" {
			_ = cmd.RegisterFlagCompletionFunc(flag, f) // the flag exists
			continue
		}
		cmd.ValidArgsFunction = func(
			cmd *cobra.Command, args []string, prefix string,
		) ([]string, cobra.ShellCompDirective) {
			if cmd.Args != nil && cmd.Args(cmd, append(args, prefix)) != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return f(cmd, args, prefix)
		}
	}
}

// completion asks the server that the flags or the environment name. If that fails or takes too
// long, there are no completions, and no message that would be in the way of the line.
func (c *connecting) completion(names completer) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx = withLogger(ctx, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(ctx, completionTime)
		defer cancel()
		login, err := c.login()
		if err != nil || login.Graph == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		to, err := openRemote(ctx, login)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found, err := names(ctx, to, prefix)
		if closed := to.close(); err != nil || closed != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeObjects completes by the property of a kind of objects of the directory.
func completeObjects(path, property, description string) completer {
	return func(ctx context.Context, c *connection, prefix string) (found []string, err error) {
		query := url.Values{"$select": {property + "," + description}, "$orderby": {property}, "$count": {"true"}}
		if prefix != "" {
			query.Set("$filter", "startswith("+property+","+quoted(prefix)+")")
		}
		_, err = c.pages(ctx, path, query, mostCompletions, func(raw json.RawMessage) error {
			var one map[string]json.RawMessage
			err := json.Unmarshal(raw, &one)
			found = append(found, describedName(cellOf(one[property]), cellOf(one[description])))
			return err
		})
		return found, err
	}
}

var (
	completeUsers  = completeObjects("/v1.0/users", "userPrincipalName", "displayName")
	completeGroups = completeObjects("/v1.0/groups", "displayName", "id")
)

// completeProducts completes part numbers of products that the tenant has, in any letter case.
func completeProducts(ctx context.Context, c *connection, prefix string) (found []string, err error) {
	_, err = c.pages(ctx, "/licensor/v1/products", nil, 0, func(raw json.RawMessage) error {
		var p product
		err := json.Unmarshal(raw, &p)
		if name := p.SKUPartNumber; len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			found = append(found, describedName(name, p.Name))
		}
		return err
	})
	return found, err
}

// describedName is a completion with a description. Lines and tabs separate completions.
func describedName(name, description string) string {
	plain := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	return plain.Replace(name) + "\t" + plain.Replace(description)
}

// completeWords completes a flag that has one of some words.
func completeWords(cmd *cobra.Command, flag string, words ...string) {
	fixed := cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc(flag, fixed) // the flag exists
}
