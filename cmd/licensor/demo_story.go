package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/excerpt"
	"licensor/internal/server"
)

// story is the demo's client: it calls its own server like any other client, and prints each call
// and its response.
type story struct {
	ctx    context.Context
	out    io.Writer
	login  server.Login
	client *http.Client
	token  string
	groups []uuid.UUID // of demoGroups
}

func newStory(ctx context.Context, out io.Writer, login server.Login, trust *x509.CertPool) (*story, error) {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}
	s := &story{ctx: ctx, out: out, login: login, client: &http.Client{Timeout: time.Minute, Transport: transport}}
	for range demoGroups {
		s.groups = append(s.groups, uuid.New())
	}
	s.say("Licensor listens at %s. First, a token for the demo's application:", login.Graph)
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {login.ClientID}, "client_secret": {login.ClientSecret},
		"scope": {"https://graph.microsoft.com/.default"},
	}
	path := login.Authority + "/" + login.TenantID + "/oauth2/v2.0/token"
	body, status, err := s.send(http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode())
	if err != nil {
		return nil, err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return nil, fmt.Errorf("no token: %s %s", status, body)
	}
	s.token = answer.AccessToken
	s.show("POST", "/"+login.TenantID+"/oauth2/v2.0/token", "grant_type=client_credentials&…", status, []byte(`{"token_type":"Bearer","access_token":"…"}`))
	return s, nil
}

// play plays the story.
func (s *story) play() error {
	for _, chapter := range []func() error{s.people, s.prices, s.trouble, s.licenses, s.seat} {
		if err := chapter(); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) people() error {
	s.say("200 people, 12 groups, their members, and 13 subscriptions, in one import:")
	return s.call("POST", "/licensor/v1/import?id=demo", demoImport(s.groups), nil)
}

// demoPriced is the date from which the demo's prices are valid. It is before the time of any clock
// that --clock sets to show the demo.
const demoPriced = "2020-01-01"

func (s *story) prices() error {
	s.say("What a seat of each product costs, as an example, so that `licensor costs` has something to show:")
	prices, err := demoPrices(demoPriced)
	if err != nil {
		return err
	}
	return s.call("PUT", "/licensor/v1/prices", prices, nil)
}

// trouble prepares conflicts that prevent licenses.
func (s *story) trouble() error {
	s.say("From now on, the catalog says that Power BI is not offered in North Korea:")
	var catalog struct {
		Products     []json.RawMessage `json:"products"`
		ServicePlans []map[string]any  `json:"servicePlans"`
	}
	if err := s.quietly("GET", "/licensor/v1/catalog", "", &catalog); err != nil {
		return err
	}
	for _, plan := range catalog.ServicePlans {
		if plan["servicePlanName"] == "BI_AZURE_P2" {
			plan["prohibitedIn"] = []string{demoAbroad}
		}
	}
	text, err := json.Marshal(catalog)
	if err != nil {
		return err
	}
	if err := s.call("PUT", "/licensor/v1/catalog", string(text), nil); err != nil {
		return err
	}
	s.say("Klara Berg gets SharePoint directly, in a plan that conflicts with that of her group:")
	_, _, engineer := demoPerson(30)
	return s.call("POST", "/v1.0/users/"+engineer+"/assignLicense", addLicenses("SHAREPOINTSTANDARD"), nil)
}

func (s *story) licenses() error {
	s.say("The groups get their licenses. Every member has them at once, as far as possible:")
	for g, group := range demoGroups {
		if len(group.products) == 0 {
			continue
		}
		if err := s.call("POST", fmt.Sprintf("/v1.0/groups/%s/assignLicense", s.groups[g]), addLicenses(group.products...), nil); err != nil {
			return err
		}
	}
	s.say("A user in Sales gets a phone license, which needs Teams, and then leaves the group that Teams came from:")
	_, _, seller := demoPerson(1)
	if err := s.call("POST", "/v1.0/users/"+seller+"/assignLicense", addLicenses("MCOEV"), nil); err != nil {
		return err
	}
	return s.leave(1, seller)
}

// leave removes one of the people from a group.
func (s *story) leave(group int, upn string) error {
	var user struct{ ID string }
	if err := s.quietly("GET", "/v1.0/users/"+upn+"?$select=id", "", &user); err != nil {
		return err
	}
	return s.call("DELETE", fmt.Sprintf("/v1.0/groups/%s/members/%s/$ref", s.groups[group], user.ID), "", nil)
}

// licensed has the properties of a user that the story reads.
type licensed struct {
	DisplayName             string
	AssignedLicenses        []struct{ SKUID string }
	LicenseAssignmentStates []struct{ State, Error string }
}

func (u licensed) all(state, reason string) bool {
	for _, s := range u.LicenseAssignmentStates {
		if s.State != state || reason != "" && s.Error != reason {
			return false
		}
	}
	return len(u.LicenseAssignmentStates) > 0
}

// seat is the end of the story: a license fails because no seat is available, and is fixed.
func (s *story) seat() error {
	_, _, olga := demoPerson(94)
	look := "/v1.0/users/" + olga + "?$select=displayName,assignedLicenses,licenseAssignmentStates"
	var user licensed
	s.say("There was one seat of Office 365 E3 too few, and Olga Ebert was last. Power BI comes from the same group, " +
		"so she has neither:")
	if err := s.call("GET", look, "", &user); err != nil {
		return err
	}
	if !user.all("Error", "") {
		return fmt.Errorf("%s is not in error: %+v", olga, user)
	}
	s.say("Ann Adler leaves Sales, and her seat becomes free:")
	_, _, ann := demoPerson(0)
	if err := s.leave(1, ann); err != nil {
		return err
	}
	s.say("Olga still waits, as in the real service, until her licenses are reprocessed:")
	if err := s.call("GET", look, "", &user); err != nil {
		return err
	}
	user = licensed{}
	if err := s.call("POST", "/v1.0/users/"+olga+"/reprocessLicenseAssignment", "", &user); err != nil {
		return err
	}
	if !user.all("Active", "None") || len(user.AssignedLicenses) != 2 {
		return fmt.Errorf("%s was not fixed: %+v", olga, user)
	}
	s.say("Olga no longer has errors. Other users have, with these reasons:")
	return s.call("GET", "/licensor/v1/licenseErrors?$top=2", "", nil)
}

func (s *story) say(format string, args ...any) {
	fmt.Fprintf(s.out, "\n# "+format+"\n", args...)
}

// call sends a request with the token, prints it and its response, and decodes the response into a
// value unless that is nil.
func (s *story) call(method, path, body string, into any) error {
	return s.do(method, path, body, into, true)
}

// quietly is like call but prints nothing.
func (s *story) quietly(method, path, body string, into any) error {
	return s.do(method, path, body, into, false)
}

func (s *story) do(method, path, body string, into any, show bool) error {
	contentType := "application/json"
	if strings.HasPrefix(path, "/licensor/v1/import") {
		contentType = "application/x-ndjson"
	}
	answer, status, err := s.send(method, s.login.Graph+path, contentType, body)
	if err != nil {
		return err
	}
	if show {
		s.show(method, path, body, status, answer)
	}
	if status[0] != '2' {
		return errors.New(method + " " + path + " answered " + status)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

func (s *story) send(method, address, contentType, body string) (answer []byte, status string, err error) {
	r, err := http.NewRequestWithContext(s.ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if body != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return answer, response.Status, err
}

// show prints a call and its response. Long responses are cut off.
func (s *story) show(method, path, body, status string, answer []byte) {
	fmt.Fprintf(s.out, "> %s %s\n", method, path)
	if body != "" {
		fmt.Fprintf(s.out, "> %s\n", excerpt.Of(strings.TrimSpace(body), 160))
	}
	fmt.Fprintf(s.out, "< %s\n", status)
	for _, line := range strings.Split(readable(answer), "\n") {
		if line != "" {
			fmt.Fprintf(s.out, "< %s\n", line)
		}
	}
}

// besides are the properties of a response that are irrelevant to the story.
var besides = map[string]bool{
	"@odata.context": true, "assignedPlans": true, "provisionedPlans": true, "createdDateTime": true, "renewedDateTime": true, "givenName": true,
	"surname": true, "mailEnabled": true, "mailNickname": true, "mail": true, "securityEnabled": true, "userType": true, "accountEnabled": true,
	"proxyAddresses": true, "securityIdentifier": true, "lastPasswordChangeDateTime": true, "signInSessionsValidFromDateTime": true,
}

// readable formats a JSON response with a property a line, and lists with an element a line. It
// omits null, empty and irrelevant values.
func readable(answer []byte) string {
	var value map[string]json.RawMessage
	if json.Unmarshal(answer, &value) != nil {
		return excerpt.Of(string(answer), 400)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(value)) {
		text := string(value[name])
		if besides[name] || text == "null" || text == "[]" {
			continue
		}
		fmt.Fprintf(&b, "  %q: %s\n", name, elements(value[name]))
	}
	return b.String()
}

// elements is a value on one line, or a list with its elements below it.
func elements(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return excerpt.Of(string(raw), 400)
	}
	var b strings.Builder
	for _, element := range list {
		b.WriteString("\n    " + excerpt.Of(string(element), 900))
	}
	return b.String()
}
