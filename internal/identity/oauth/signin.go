package oauth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"licensor/internal/identity"
)

// wish is how a client wants the person to be identified.
type wish struct {
	app       identity.App
	hint      string // the user name
	fresh     bool   // even when signed in
	choose    bool   // let the person select another account
	silent    bool   // without a page
	oldest    time.Duration
	hasOldest bool
}

// identify returns the person. It returns none if a page is needed, or if the request is silent and
// no person is signed in.
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
		answered, err = s.renew(v, who, want.app)
		return nil, answered, err
	case suits && !want.choose && !who.user.MustChangePassword:
		return who, false, nil
	case want.silent:
		return nil, false, nil
	case suits && want.choose:
		return nil, true, s.show(v, "choose", pageData{
			Title: "Choose an account", App: want.app.DisplayName, Name: who.user.Name, Display: who.user.DisplayName,
		})
	}
	return nil, true, s.signInPage(v, want, want.hint, nil)
}

// signIn checks the input, and redirects to the same URL without the completed steps.
func (s *Server) signIn(v *visit, want wish) error {
	name := strings.TrimSpace(v.form.Get("username"))
	user, err := s.logIn(v.call, attempt{want.app, true}, name, v.form.Get("password"))
	if refused := asRefusal(err); refused != nil {
		return s.signInPage(v, want, name, refused)
	}
	if err != nil {
		return err
	}
	if err := s.rememberDevice(v.call, ofAccount(v.tenant.String(), name)); err != nil {
		return err
	}
	if err := s.startSession(v.call, want.app, user); err != nil {
		return err
	}
	query := without(v.query, "login", "select_account")
	query.Del("max_age") // the sign-in is new
	if want.hint != "" && !strings.EqualFold(want.hint, user.Name) {
		query.Del("login_hint") // the person has selected another account
	}
	return v.sendOn(v.tenant.String(), v.endpoint(), query)
}

func (s *Server) signInPage(v *visit, want wish, name string, refused *refusalError) error {
	data := pageData{Title: "Sign in", App: want.app.DisplayName, Name: name}
	if refused != nil {
		data.Status, data.Problem = refused.status, problemOf(refused)
	}
	return s.show(v, "signin", data)
}

// problemOf explains to a person why the sign-in has failed.
func problemOf(refused *refusalError) string {
	switch refused.code {
	case codeBadPassword:
		return "The user name or password is not right. Check both and try again. (AADSTS50126)"
	case codeDisabledUser:
		return "This account is disabled. Ask your administrator. (AADSTS50057)"
	case 50053:
		return "There were too many attempts with a wrong password. Wait " +
			waitOf(refused) + " and try again. (AADSTS50053)"
	}
	return refused.text
}

// waitOf returns how long a person must wait, from the error slowDown.
func waitOf(refused *refusalError) string {
	_, wait, _ := strings.Cut(refused.text, "Try again in ")
	return strings.TrimSuffix(wait, ".")
}

// without removes completed prompts from a query.
func without(query url.Values, done ...string) url.Values {
	prompts := slices.DeleteFunc(strings.Fields(query.Get("prompt")), func(p string) bool { return slices.Contains(done, p) })
	if query.Set("prompt", strings.Join(prompts, " ")); len(prompts) == 0 {
		query.Del("prompt")
	}
	return query
}

// renew lets a person who must change the password choose a new one. Until then nothing is issued.
func (s *Server) renew(v *visit, who *person, app identity.App) (answered bool, err error) {
	data := pageData{Title: "Choose a new password", Name: who.user.Name}
	if v.action != "password" {
		return true, s.show(v, "password", data)
	}
	old, fresh := v.form.Get("old"), v.form.Get("new")
	if data.Problem = unfit(who.user.Name, old, fresh, v.form.Get("again")); data.Problem != "" {
		data.Status = 400
		return true, s.show(v, "password", data)
	}
	if _, err := s.logIn(v.call, attempt{app, true}, who.user.Name, old); err != nil {
		refused := asRefusal(err)
		if refused == nil {
			return false, err
		}
		if data.Status, data.Problem = refused.status, problemOf(refused); refused.code == codeBadPassword {
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
	if err := s.startSession(v.call, app, who.user); err != nil {
		return false, err
	}
	return true, v.sendOn(v.tenant.String(), v.endpoint(), without(v.query, "login", "select_account"))
}

// unfit returns why a new password is not acceptable.
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
