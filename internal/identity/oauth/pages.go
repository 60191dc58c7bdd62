package oauth

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed pages/pages.css
var styles []byte

// submitScript submits a form without a click; see formPost.
const submitScript = "document.forms[0].submit()"

var (
	stylesTag  = func() string { sum := sha256.Sum256(styles); return hex.EncodeToString(sum[:8]) }()
	scriptHash = func() string {
		sum := sha256.Sum256([]byte(submitScript))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}()
)

const stylesPath = "/oauth2/assets/pages.css"

// parsePages parses the templates, once a process: each page is the layout with its own content.
var parsePages = sync.OnceValues(func() (map[string]*template.Template, error) {
	layout, err := template.ParseFS(pageFiles, "pages/layout.html")
	if err != nil {
		return nil, err
	}
	parsed := map[string]*template.Template{}
	for _, name := range []string{
		"signin", "account", "choose", "password", "consent", "approval", "device", "confirm", "done", "signedout", "error", "formpost",
	} {
		page, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if parsed[name], err = page.ParseFS(pageFiles, "pages/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return parsed, nil
})

// pages routes the pages for people.
func (s *Server) pages(mux *http.ServeMux) {
	mux.HandleFunc("/{tenant}/oauth2/v2.0/authorize", s.page(s.authorize))
	mux.HandleFunc("/{tenant}/oauth2/authorize", s.page(s.authorize))
	mux.HandleFunc("/{tenant}/v2.0/adminconsent", s.page(s.adminConsent))
	mux.HandleFunc("/{tenant}/adminconsent", s.page(s.adminConsent))
	mux.HandleFunc("/{tenant}/oauth2/v2.0/logout", s.page(s.logout))
	mux.HandleFunc("/{tenant}/oauth2/logout", s.page(s.logout))
	mux.HandleFunc("/{tenant}/oauth2/deviceauth", s.page(s.deviceAuth))
	mux.HandleFunc("GET "+devicePath, s.page(func(v *visit) error { return v.sendOn(common, "/oauth2/deviceauth", v.query) }))
	mux.HandleFunc("GET "+stylesPath, func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/css; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // its address has its hash
		h.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(styles)
	})
}

// pageData is the data of pages; each uses a part of it.
type pageData struct {
	Title         string // of the step, which a screen reader reads first
	Status        int    // 200 if zero
	Problem       string // the error in the input
	App, AppID    string
	Name, Display string // of the person
	Organization  string
	Permissions   []permission
	Administrator bool // may consent for all users
	ForAll        bool // is asked to consent for all users
	Code          string
	Token         string
	Styles        string

	Action template.URL // of formpost
	Values []value
	Script template.JS

	Description string // of error
}

type value struct{ Name, Text string }

// show writes a page.
func (s *Server) show(v *visit, name string, data pageData) error {
	data.Token, data.Styles = v.formToken(), stylesPath+"?"+stylesTag
	var text bytes.Buffer
	if err := s.templates[name].Execute(&text, data); err != nil {
		return fmt.Errorf("write the page %s: %w", name, err)
	}
	v.protect(name == "formpost")
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if data.Status != 0 {
		v.w.WriteHeader(data.Status)
	}
	_, _ = v.w.Write(text.Bytes()) // the browser has disconnected
	return nil
}

// protect sets headers that forbid everything that the page does not need, so that injected content
// cannot do it either.
func (v *visit) protect(script bool) {
	policy := "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; " +
		"form-action " + strings.Join(append([]string{"'self'"}, v.formTo...), " ")
	if script {
		policy += "; script-src " + scriptHash
	}
	h := v.w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	// No Cross-Origin-Opener-Policy: clients open these pages in pop-ups and wait for their return.
	// No HSTS for this machine: programs on it receive codes over http.
	if u, err := url.Parse(v.root); v.secure() && err == nil && !isLoopback(u.Hostname()) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// errorPage shows an error to a person; nothing is sent to the client, whose address may not be its
// own.
func (s *Server) errorPage(v *visit, err error) {
	refused, body := s.describe(v.Request, err)
	if refused.status == http.StatusMethodNotAllowed {
		v.w.Header().Set("Allow", "GET, POST")
	}
	shown := s.show(v, "error", pageData{
		Title: "Sorry, that did not work", Status: refused.status, Problem: refused.text,
		Description: fmt.Sprintf("AADSTS%d · Trace ID: %s · Correlation ID: %s · %s",
			refused.code, body.TraceID, body.CorrelationID, body.Timestamp),
	})
	if shown != nil {
		s.config.Log.ErrorContext(v.Context(), "the error page failed", "error", shown)
		v.w.WriteHeader(http.StatusInternalServerError)
	}
}

// formPost responds to the client with a form that the browser sends to it: by a script, or by a
// button if scripts are disabled.
func (s *Server) formPost(v *visit, a *authorization, values url.Values) error {
	// The address is a registered one with http or https (readMode), so it needs no escaping.
	data := pageData{
		Title:  "Back to " + a.app.DisplayName,
		App:    a.app.DisplayName,
		Action: template.URL(a.redirect),
		Script: template.JS(submitScript),
	}
	for name := range values {
		data.Values = append(data.Values, value{name, values.Get(name)})
	}
	return s.show(v, "formpost", data)
}
