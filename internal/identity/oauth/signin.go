package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"licensor/internal/identity"
)

// wish is how a client wants a person to be identified.
type wish struct {
	app       string // the application's name
	hint      string // the user name
	fresh     bool   // also when signed in
	choose    bool   // the person may want to be another
	silent    bool   // without a page
	oldest    time.Duration
	hasOldest bool
}

// identify returns who the person is. When it takes a page to find out, or is silent and nobody is
// signed in, there is none.
func (s *Server) identify(v *visit, want wish) (who *person, answered bool, err error) {
	if who, err = s.signedIn(v.call); err != nil {
		return nil, false, err
	}
	switch v.action {
	case "signin":
		return nil, true, s.signIn(v, want)
	case "other":
		return nil, true, s.signInPage(v, want, "", nil)
	case "continue":
		if who != nil {
			return nil, true, v.sendOn(v.tenant.String(), v.endpoint(), without(v.query, "select_account"))
		}
	}
	suits := who != nil && !want.fresh && (want.hint == "" || strings.EqualFold(want.hint, who.user.Name)) &&
		(!want.hasOldest || (want.oldest > 0 && s.config.Now().Sub(who.since) <= want.oldest))
	switch {
	case suits && who.user.MustChangePassword && !want.silent:
		answered, err = s.renew(v, who)
		return nil, answered, err
	case suits && !want.choose && !who.user.MustChangePassword:
		return who, false, nil
	case want.silent:
		return nil, false, nil
	case suits && want.choose:
		return nil, true, s.show(v, "choose", pageData{
			Title: "Choose an account", App: want.app, Name: who.user.Name, Display: who.user.DisplayName,
		})
	}
	return nil, true, s.signInPage(v, want, want.hint, nil)
}

// signIn checks what was entered, and comes back to the same address without what has been done.
func (s *Server) signIn(v *visit, want wish) error {
	name := strings.TrimSpace(v.form.Get("username"))
	user, err := s.logIn(v.call, name, v.form.Get("password"))
	if refused := asRefusal(err); refused != nil {
		return s.signInPage(v, want, name, refused)
	}
	if err != nil {
		return err
	}
	if err := s.rememberDevice(v.call, ofAccount(v.tenant.String(), name)); err != nil {
		return err
	}
	if err := s.startSession(v.call, user); err != nil {
		return err
	}
	query := without(v.query, "login", "select_account")
	query.Del("max_age") // nothing is fresher than this
	if want.hint != "" && !strings.EqualFold(want.hint, user.Name) {
		query.Del("login_hint") // the person has said that they are another
	}
	return v.sendOn(v.tenant.String(), v.endpoint(), query)
}

func (s *Server) signInPage(v *visit, want wish, name string, refused *refusal) error {
	data := pageData{Title: "Sign in", App: want.app, Name: name}
	if refused != nil {
		data.Status, data.Problem = refused.status, problemOf(refused)
	}
	return s.show(v, "signin", data)
}

// problemOf says in a person's words why they are not signed in.
func problemOf(refused *refusal) string {
	switch refused.code {
	case 50126:
		return "The user name or password is not right. Check both and try again. (AADSTS50126)"
	case 50057:
		return "This account is disabled. Ask your administrator. (AADSTS50057)"
	case 50053:
		return "There were too many attempts with a wrong password. Wait " + waitOf(refused) + " and try again. (AADSTS50053)"
	}
	return refused.text
}

// waitOf is how long a person is to wait, as slowDown has it.
func waitOf(refused *refusal) string {
	_, wait, _ := strings.Cut(refused.text, "Try again in ")
	return strings.TrimSuffix(wait, ".")
}

// without takes prompts that were followed out of a query.
func without(query url.Values, done ...string) url.Values {
	prompts := slices.DeleteFunc(strings.Fields(query.Get("prompt")), func(p string) bool { return slices.Contains(done, p) })
	if query.Set("prompt", strings.Join(prompts, " ")); len(prompts) == 0 {
		query.Del("prompt")
	}
	return query
}

// renew lets a person whose password is to be changed choose a new one. Until then they are given
// nothing.
func (s *Server) renew(v *visit, who *person) (answered bool, err error) {
	data := pageData{Title: "Choose a new password", Name: who.user.Name}
	if v.action != "password" {
		return true, s.show(v, "password", data)
	}
	old, fresh := v.form.Get("old"), v.form.Get("new")
	if data.Problem = unfit(who.user.Name, old, fresh, v.form.Get("again")); data.Problem != "" {
		data.Status = 400
		return true, s.show(v, "password", data)
	}
	if _, err := s.logIn(v.call, who.user.Name, old); err != nil {
		refused := asRefusal(err)
		if refused == nil {
			return false, err
		}
		if data.Status, data.Problem = refused.status, problemOf(refused); refused.code == 50126 {
			data.Problem = "The current password is not right. Try again. (AADSTS50126)"
		}
		return true, s.show(v, "password", data)
	}
	hash, err := identity.HashPassword(v.Context(), s.config.Random, s.config.Cost, fresh)
	if err != nil {
		return false, err
	}
	if err := s.config.Tenants.SetPassword(v.Context(), v.tenant, who.user.ID, hash); err != nil {
		return false, err
	}
	if err := s.startSession(v.call, who.user); err != nil {
		return false, err
	}
	return true, v.sendOn(v.tenant.String(), v.endpoint(), without(v.query, "login", "select_account"))
}

// unfit says why a new password will not do.
func unfit(name, old, fresh, again string) string {
	switch {
	case len([]rune(fresh)) < identity.LeastPassword:
		return "The new password is too short: it needs at least 8 characters."
	case len(fresh) > identity.MaxPassword:
		return "The new password is too long: it may have 256 characters."
	case fresh == old:
		return "The new password is the current one: choose another."
	case identity.HasName(fresh, name):
		return "The new password has your user name in it: choose another."
	case fresh != again:
		return "The new password was not repeated as it was entered first. Enter it twice."
	}
	return ""
}
