package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"licensor/internal/identity"
)

// knock sends a form to the token endpoint, and returns the first number of the error; 0 for
// tokens.
func (o *office) knock(form url.Values) int {
	o.t.Helper()
	response, err := http.PostForm(o.url+"/"+o.login.TenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Codes []int `json:"error_codes"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		o.t.Fatal(err)
	}
	return append(answer.Codes, 0)[0]
}

// passwordOf is a request of the Azure CLI with the administrator's name and a password.
func (o *office) passwordOf(password, scope string) url.Values {
	return url.Values{
		"grant_type": {"password"}, "client_id": {azureCLI}, "username": {o.login.AdminName}, "password": {password}, "scope": {scope},
	}
}

// allowPasswords allows applications to send a user's password.
func (o *office) allowPasswords() {
	o.t.Helper()
	o.ask("PATCH", "/licensor/v1/signIn", `{"allowPasswordGrant":true}`)
}

// consent consents to User.Read and signing in for an application, by its service principal.
func (o *office) consent(principal string) {
	o.t.Helper()
	graph := o.list("/v1.0/servicePrincipals?$filter=appId eq '" + identity.GraphAppID + "'")[0]
	o.ask("POST", "/v1.0/oauth2PermissionGrants", `{"clientId":"`+principal+
		`","consentType":"AllPrincipals","resourceId":"`+graph["id"].(string)+`","scope":"openid User.Read"}`)
}

// wantSignIns checks the sign-ins of a kind, the oldest first: how each differs from one of the
// administrator with the Azure CLI that was successful.
func (o *office) wantSignIns(kind string, want ...map[string]any) {
	o.t.Helper()
	got := o.list("/beta/auditLogs/signIns?$orderby=createdDateTime&$filter=signInEventTypes/any(t:t eq '" + kind + "')")
	if len(got) != len(want) {
		o.t.Fatalf("of %s there are %v, want %d", kind, got, len(want))
	}
	client := "Mobile Apps and Desktop clients"
	if kind == "interactiveUser" {
		client = "Browser"
	}
	for i, differs := range want {
		in := got[i]
		all := map[string]any{
			"appId": azureCLI, "appDisplayName": "Microsoft Azure CLI", "userPrincipalName": o.login.AdminName, "errorCode": 0.0,
			"ipAddress": "127.0.0.1", "clientAppUsed": client, "isInteractive": kind == "interactiveUser",
			"resourceDisplayName": "Microsoft Graph", "conditionalAccessStatus": "notApplied",
		}
		for name, value := range differs {
			all[name] = value
		}
		in["errorCode"] = in["status"].(map[string]any)["errorCode"]
		for name, value := range all {
			if in[name] != value {
				o.t.Errorf("%s %d: %s is %v, want %v", kind, i, name, in[name], value)
			}
		}
	}
}

// TestU33DeviceCodes: the password that is entered for a device and the confirmation are
// interactive, and the device that gets its tokens is not another sign-in.
func TestU33DeviceCodes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	root := o.url + "/" + o.login.TenantID
	var device map[string]any
	text := o.read(http.PostForm(root+"/oauth2/v2.0/devicecode", url.Values{"client_id": {azureCLI}, "scope": {"openid User.Read"}}))
	if err := json.Unmarshal([]byte(text), &device); err != nil {
		t.Fatal(err)
	}
	page := root + "/oauth2/deviceauth?" + url.Values{"code": {device["user_code"].(string)}}.Encode()
	text = o.read(o.browser.Get(page))
	o.wantSignIns("interactiveUser")
	text = o.read(o.press(page, text, "action", "signin", "username", o.login.AdminName, "password", o.login.AdminPassword))
	o.wantSignIns("interactiveUser", nil)
	o.advance("PT10S")
	response, err := o.press(page, text, "action", "approve")
	if text = o.read(response, err); pageToken.MatchString(text) { // consent is asked
		o.read(o.press(page, text, "action", "accept"))
	}
	o.wantSignIns("interactiveUser", nil, nil)
	o.grant(url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {azureCLI}, "device_code": {device["device_code"].(string)},
	})
	o.wantSignIns("interactiveUser", nil, nil)
	o.wantSignIns("nonInteractiveUser")
}

// TestU33Passwords covers applications that send a password: a wrong one, a right one without
// consent and with it, and that of a disabled user.
func TestU33Passwords(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.allowPasswords()
	o.consent(o.list("/v1.0/servicePrincipals?$filter=appId eq '" + azureCLI + "'")[0]["id"].(string))
	codes := []int{50126, 65001, 0}
	var want []map[string]any
	for i, form := range []url.Values{
		o.passwordOf("wrong", "openid"), o.passwordOf(o.login.AdminPassword, "User.ReadWrite.All"),
		o.passwordOf(o.login.AdminPassword, "openid"),
	} {
		if code := o.knock(form); code != codes[i] {
			t.Fatalf("attempt %d: %d", i, code)
		}
		want = append(want, map[string]any{"errorCode": float64(codes[i])})
		o.advance("PT1S")
	}
	o.wantSignIns("nonInteractiveUser", want...)
	activity := o.ask("GET", "/v1.0/users/"+o.login.AdminName+"?$select=signInActivity", "")["signInActivity"].(map[string]any)
	if activity["lastSignInDateTime"] != nil || activity["lastNonInteractiveSignInDateTime"] == nil ||
		activity["lastSuccessfulSignInDateTime"] != nil {
		t.Errorf("the administrator was seen as %v", activity)
	}
	const ben = "ben@contoso.example"
	o.ask("POST", "/v1.0/users", `{"accountEnabled":false,"displayName":"Ben","mailNickname":"ben","userPrincipalName":"`+ben+
		`","passwordProfile":{"password":"Correct-horse-9","forceChangePasswordNextSignIn":false}}`)
	form := o.passwordOf("Correct-horse-9", "openid")
	form.Set("username", ben)
	if code := o.knock(form); code != 50057 {
		t.Fatalf("a disabled user: %d", code)
	}
	o.wantSignIns("nonInteractiveUser", append(want, map[string]any{"errorCode": 50057.0, "userPrincipalName": ben})...)
	o.wantSignIns("interactiveUser")
}

// TestU33OnBehalfOf: a service that acts for a user who has called it signs the user in.
func TestU33OnBehalfOf(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.allowPasswords()
	app := o.ask("POST", "/v1.0/applications", `{"displayName":"Service"}`)
	id := app["appId"].(string)
	secret := o.ask("POST", "/v1.0/applications/"+app["id"].(string)+"/addPassword", `{}`)["secretText"].(string)
	service := o.ask("POST", "/v1.0/servicePrincipals", `{"appId":"`+id+`"}`)
	o.consent(service["id"].(string))
	token := o.grant(o.passwordOf(o.login.AdminPassword, id+"/.default"))["access_token"].(string)
	o.wantSignIns("nonInteractiveUser", nil)
	o.advance("PT1S")
	form := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "requested_token_use": {"on_behalf_of"},
		"client_id": {id}, "client_secret": {secret}, "assertion": {token}, "scope": {identity.GraphURL + "/User.Read"},
	}
	o.grant(form)
	o.wantSignIns("nonInteractiveUser", nil, map[string]any{"appId": id, "appDisplayName": "Service"})
	form.Set("assertion", token[:len(token)-8])
	if code := o.knock(form); code != 50013 {
		t.Errorf("a damaged token: %d", code)
	}
	o.wantSignIns("nonInteractiveUser", nil, map[string]any{"appId": id, "appDisplayName": "Service"})
}

// TestU33TooManyAttempts: an attempt that is refused unchecked is a sign-in with 50053, on a page
// and by an application.
func TestU33TooManyAttempts(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.allowPasswords()
	var want []map[string]any
	for code := 0; code != 50053; {
		if code = o.knock(o.passwordOf("wrong", "openid")); code != 50053 && code != 50126 || len(want) > 30 {
			t.Fatalf("attempt %d: %d", len(want), code)
		}
		want = append(want, map[string]any{"errorCode": float64(code)})
		if len(want) < 9 { // the next ones have to wait longer
			o.advance("PT8S")
		}
	}
	o.wantSignIns("nonInteractiveUser", want...)

	page := o.url + "/" + o.login.TenantID + "/oauth2/v2.0/authorize?" + url.Values{
		"client_id": {azureCLI}, "response_type": {"code"}, "redirect_uri": {"http://localhost"}, "scope": {"openid"},
		"code_challenge": {"ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"}, "code_challenge_method": {"S256"},
	}.Encode()
	text := o.read(o.browser.Get(page))
	response, err := o.press(page, text, "action", "signin", "username", o.login.AdminName, "password", o.login.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode < 400 {
		t.Fatalf("the page: %d, %v", response.StatusCode, err)
	}
	o.wantSignIns("interactiveUser", map[string]any{"errorCode": 50053.0})
	failure := o.list("/v1.0/auditLogs/signIns?$filter=status/errorCode eq 50053")[0]["status"].(map[string]any)["failureReason"]
	if failure == nil || failure == "Other." {
		t.Errorf("the reason is %v", failure)
	}
}
