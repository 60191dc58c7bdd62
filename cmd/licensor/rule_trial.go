package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"licensor/internal/directory"
	"licensor/internal/guid"
)

// ruleTrial holds the arguments of the command rule test.
type ruleTrial struct {
	reading
	group, rule, user string
}

func ruleTestCommand() *cobra.Command {
	var rt ruleTrial
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Show who would join and leave a group if a rule were evaluated",
		Long: `Test evaluates a rule for all users, and prints who would join and leave a group, and the result for its
licenses. Nothing is changed.

With --group, it is the rule of that group, evaluated now, also if the group is paused. With --rule, it is that
rule, for a new group. With both, it is the rule as the group would have it; the group can be a static one.

With --user, the rule is evaluated for one user only. Each part of it is printed with its result and the
value of the user.

The exit code is 4 if the rule is not valid; the place is printed as ` + "`licensor rule check`" + ` does.`,
		Example: "  licensor rule test --group Sales\n" +
			"  licensor rule test --group Sales --rule \"$(cat sales.rule)\" --limit 0\n" +
			"  licensor rule test --rule 'user.department -eq \"Sales\"' --user ann@contoso.example",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return rt.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&rt.group, "group", "", "id of a group, or its displayName if no other group has it")
	f.StringVar(&rt.rule, "rule", "", "text of a rule")
	f.StringVar(&rt.user, "user", "", "id or userPrincipalName of the only user for whom to evaluate the rule")
	rt.registerLimit(cmd, "users", 50)
	rt.registerJSON(cmd)
	cmd.MarkFlagsOneRequired("group", "rule")
	cmd.MarkFlagsMutuallyExclusive("user", "limit")
	rt.connecting.register(cmd)
	rt.complete(cmd, map[string]completer{"user": completeUsers, "group": completeGroups})
	return cmd
}

// report is the result of a trial, which can also be written as JSON.
type report interface{ print(out *printer) error }

func (rt *ruleTrial) run(cmd *cobra.Command) error {
	for name, value := range map[string]string{"group": rt.group, "rule": rt.rule, "user": rt.user} {
		if value == "" && cmd.Flags().Changed(name) {
			return usage(fmt.Errorf("--%s is empty", name))
		}
	}
	return rt.print(cmd, func(out *printer) error {
		return rt.use(cmd, func(ctx context.Context, c *connection) error {
			result, err := rt.ask(ctx, c)
			if err != nil {
				return err
			}
			return out.value(result, func() error { return result.print(out) })
		})
	})
}

func (rt *ruleTrial) ask(ctx context.Context, c *connection) (result report, err error) {
	var group *triedGroup
	if rt.group != "" {
		if group, err = findGroup(ctx, c, rt.group); err != nil {
			return nil, err
		}
		if rt.rule == "" && !group.dynamic() {
			return nil, fmt.Errorf("group %q has no rule, since its groupTypes lack %q: add --rule with the rule "+
				"to test", group.DisplayName, directory.DynamicMembership)
		}
	}
	if rt.user != "" {
		result, err = rt.evaluate(ctx, c, group)
	} else {
		result, err = rt.preview(ctx, c, group)
	}
	return result, rt.refused(err, group)
}

// refused adds the place to the error of a rule that is not valid.
func (rt *ruleTrial) refused(err error, group *triedGroup) error {
	no, ok := errors.AsType[*refusalError](err)
	if !ok || no.status != http.StatusBadRequest && no.status != http.StatusNotImplemented {
		return err
	}
	name, rule := "--rule", rt.rule
	if rule == "" {
		name, rule = "membershipRule of "+group.ID, group.MembershipRule
	}
	checked := checkRule(name, rule)
	if checked.Valid {
		return err
	}
	return damaged(errors.New(strings.TrimRight(checked.explain(), "\n")))
}

// triedGroup is the group whose rule is tested.
type triedGroup struct {
	ID              string   `json:"id"`
	DisplayName     string   `json:"displayName"`
	GroupTypes      []string `json:"groupTypes"`
	MembershipRule  string   `json:"membershipRule"`
	ProcessingState string   `json:"membershipRuleProcessingState"`
}

func (g *triedGroup) dynamic() bool {
	return slices.Contains(g.GroupTypes, directory.DynamicMembership)
}

// groupOptions are the query options for a triedGroup.
const groupOptions = "$select=id,displayName,groupTypes,membershipRule,membershipRuleProcessingState"

// maxNamesakes is how many groups with the same name an error lists.
const maxNamesakes = 10

// findGroup returns the group with an id or a name.
func findGroup(ctx context.Context, c *connection, key string) (*triedGroup, error) {
	if id, ok := guid.Parse(key); ok {
		group := new(triedGroup)
		err := c.get(ctx, "/v1.0/groups/"+id.String()+"?"+groupOptions, group)
		if isMissing(err) {
			return nil, fmt.Errorf("there is no group with the id %s", id)
		}
		return group, err
	}
	var found struct{ Value []triedGroup }
	filter := url.QueryEscape("displayName eq " + quoted(key))
	path := fmt.Sprintf("/v1.0/groups?%s&$top=%d&$filter=%s", groupOptions, maxNamesakes+1, filter)
	if err := c.get(ctx, path, &found); err != nil {
		return nil, err
	}
	switch len(found.Value) {
	case 0:
		return nil, fmt.Errorf("there is no group with the displayName %q", key)
	case 1:
		return &found.Value[0], nil
	}
	var ids []string
	for _, g := range found.Value[:min(len(found.Value), maxNamesakes)] {
		ids = append(ids, g.ID)
	}
	if len(found.Value) > maxNamesakes {
		ids = append(ids, "…")
	}
	return nil, fmt.Errorf("several groups have the displayName %q; give the id of one of them: %s",
		key, strings.Join(ids, ", "))
}

// isMissing reports whether the server refused a request because the object does not exist.
func isMissing(err error) bool {
	no, ok := errors.AsType[*refusalError](err)
	return ok && no.status == http.StatusNotFound && no.code == "Request_ResourceNotFound"
}

// preview returns who would join and leave, following the links from page to page.
func (rt *ruleTrial) preview(ctx context.Context, c *connection, group *triedGroup) (*rulePreview, error) {
	content := map[string]string{}
	if rt.rule != "" {
		content["membershipRule"] = rt.rule
	}
	if group != nil {
		content["group"] = group.ID
	}
	body, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	result := &rulePreview{Group: group}
	path := fmt.Sprintf("/licensor/v1/groups/previewRule?$top=%d", rt.pageSize())
	for {
		page := previewPage{}
		if err := c.do(ctx, http.MethodPost, path, "application/json", body, &page); err != nil {
			return nil, err
		}
		users := slices.Concat(result.Value, page.Value)
		if len(result.Value) > 0 && page.Commit != result.Commit {
			return nil, fmt.Errorf("the tenant was changed while its users were read (commit %d, then %d): run "+
				"the command again, or with --limit %d or less, which needs one request",
				result.Commit, page.Commit, maxPreview)
		}
		result.previewed, result.Value = page.previewed, users
		if page.NextLink == "" || rt.limit > 0 && len(users) >= rt.limit {
			break
		}
		if path, err = localPath(page.NextLink); err != nil {
			return nil, err
		}
	}
	if rt.limit > 0 && len(result.Value) > rt.limit {
		result.Value = result.Value[:rt.limit]
	}
	result.More = result.Joining + result.Leaving - len(result.Value)
	return result, nil
}

// maxPreview is the maximum number of users on a page.
const maxPreview = 999

func (rt *ruleTrial) pageSize() int {
	if rt.limit == 0 {
		return maxPreview
	}
	return min(rt.limit, maxPreview)
}

// evaluate returns which parts of the rule are true for a user.
func (rt *ruleTrial) evaluate(ctx context.Context, c *connection, group *triedGroup) (*ruleEvaluation, error) {
	result := &ruleEvaluation{Group: group}
	key := url.PathEscape(quoted(rt.user))
	err := c.get(ctx, "/v1.0/users("+key+")?$select=id,userPrincipalName,displayName", &result.User)
	if isMissing(err) {
		return nil, fmt.Errorf("there is no user %q: give the id or userPrincipalName of a user", rt.user)
	}
	if err != nil {
		return nil, err
	}
	content := map[string]string{"memberId": result.User.ID}
	if rt.rule != "" {
		content["membershipRule"] = rt.rule
	}
	body, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	path := "/beta/groups/evaluateDynamicMembership"
	if group != nil {
		path = "/beta/groups/" + group.ID + "/evaluateDynamicMembership"
	}
	return result, c.do(ctx, http.MethodPost, path, "application/json", body, result)
}
