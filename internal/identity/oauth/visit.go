package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// visit is a call of a person's browser, which is answered with a page or a redirect.
type visit struct {
	*call
	query  url.Values
	action string   // the pressed button; empty for a request of the page
	formTo []string // where forms may lead, in addition to this server: browsers also check redirects
	secret string   // the key of the tokens of forms
}

// page converts a function that answers a visit to a handler. Errors are shown on a page.
func (s *Server) page(endpoint func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		c, err := s.open(w, r)
		c.onPage = true
		v := &visit{call: c}
		if err == nil {
			err = s.receive(v)
		}
		if err == nil {
			err = endpoint(v)
		}
		if err != nil {
			s.errorPage(v, err)
		}
	}
}

// receive reads a visit, and refuses a form that was not shown to this browser.
func (s *Server) receive(v *visit) error {
	var err error
	if v.query, err = url.ParseQuery(v.URL.RawQuery); err != nil {
		return malformedRequest(http.StatusBadRequest, "The query of the address is not well formed.")
	}
	if err := once(v.query); err != nil {
		return err
	}
	if v.secret = v.cookie(formCookie); v.secret == "" {
		secret, err := s.newSecret()
		if err != nil {
			return err
		}
		v.secret = secret
		v.setCookie(formCookie, secret)
	}
	switch v.Method {
	case http.MethodGet, http.MethodHead:
		return nil
	case http.MethodPost:
	default:
		return onlyGET(v.Method)
	}
	if v.form, err = readForm(v.Request); err != nil {
		return err
	}
	if !v.form.Has("action") { // a client's own, see authorize
		return nil
	}
	v.action = v.form.Get("action")
	if !s.isOurs(v) {
		return errForm
	}
	return nil
}

// errForm is the error for a form with a wrong token: mostly from a page that was left open during
// a sign-in in another one.
var errForm = &refusalError{
	http.StatusForbidden, 90036, "invalid_request", "This page is out of date, or was not opened here. Go back to " +
		"the application and try again.",
}

var crossOrigin = http.NewCrossOriginProtection()

// isOurs reports whether a submitted form was shown to this browser: it comes from one of our
// pages, according to the browser, and has the token for the browser's cookie, the signed-in
// person, and the subject of the page. So another page cannot submit a form here (CSRF), nor sign a
// person in as another.
func (s *Server) isOurs(v *visit) bool {
	if err := crossOrigin.Check(v.Request); err != nil && v.Header.Get("Origin") != v.root {
		return false
	}
	return hmac.Equal([]byte(v.form.Get("token")), []byte(v.formToken()))
}

func (v *visit) formToken() string {
	mac := hmac.New(sha256.New, []byte(v.secret))
	mac.Write([]byte(v.cookie(sessionCookie) + " " + v.URL.RequestURI()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sendOn redirects the browser to another of our own pages, or to this one with another query.
func (v *visit) sendOn(tenant, endpoint string, query url.Values) error {
	target := "/" + tenant + endpoint
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return v.redirect(target)
}

// redirect uses 303 after a form, so that its input is not sent again.
func (v *visit) redirect(target string) error {
	status := http.StatusFound
	if v.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	s := v.w.Header()
	s.Set("Cache-Control", "no-store")
	s.Set("Referrer-Policy", "no-referrer")
	s.Set("Location", target)
	v.w.WriteHeader(status)
	return nil
}

// endpoint returns the path after the tenant's name.
func (v *visit) endpoint() string {
	return strings.TrimPrefix(v.URL.Path, "/"+v.PathValue("tenant"))
}

// asRefusal returns an error that may be shown to a person, or nil.
func asRefusal(err error) *refusalError {
	refused, _ := errors.AsType[*refusalError](err)
	return refused
}
