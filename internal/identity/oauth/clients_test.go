package oauth

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// ordinary is a client as people write them in Go, from nothing but the issuer's address.
func ordinary(t *testing.T, w world, config oauth2.Config) (context.Context, *oidc.Provider, oauth2.Config) {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), w.https.Client())
	provider, err := oidc.NewProvider(ctx, w.https.URL+"/"+contoso.String()+"/v2.0")
	if err != nil {
		t.Fatal(err)
	}
	config.Endpoint = provider.Endpoint()
	return ctx, provider, config
}

func TestAnOrdinaryServerSignsUsersIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, provider, config := ordinary(t, w, oauth2.Config{
		ClientID: portal.String(), ClientSecret: goodSecret, RedirectURL: portalRedirect,
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	})
	secret := oauth2.GenerateVerifier()
	target, err := url.Parse(config.AuthCodeURL("state", oauth2.S256ChallengeOption(secret), oidc.Nonce("nonce")))
	if err != nil {
		t.Fatal(err)
	}
	back := w.browser(t).open(target.Path, target.Query()).signIn(annName).back(portalRedirect)
	token, err := config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(secret))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: portal.String(), Now: w.clock.now}).Verify(ctx, raw)
	if err != nil || id.Nonce != "nonce" || id.Subject != subject(contoso, portal, ann) {
		t.Fatalf("the id token is %+v, %v", id, err)
	}
	info, err := provider.UserInfo(ctx, config.TokenSource(ctx, token))
	if err != nil || info.Subject != id.Subject || info.Email != "ann.example@contoso.example" {
		t.Errorf("the user is %+v, %v", info, err)
	}
	again, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil || again.RefreshToken == token.RefreshToken {
		t.Errorf("refreshed: %v", err)
	}
}

func TestAnOrdinaryDeviceSignsUsersIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, _, config := ordinary(t, w, oauth2.Config{ClientID: tool.String(), Scopes: []string{"openid", "User.Read"}})
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser(t).open("/devicelogin", url.Values{"otc": {device.UserCode}}).press("code", "code", device.UserCode)
	b.signIn(annName).press("approve").wantPage("You have signed in", http.StatusOK)
	device.Interval = 1 // it is approved; the client would wait before it asks
	token, err := config.DeviceAccessToken(ctx, device)
	if err != nil || !token.Expiry.After(start) {
		t.Fatalf("answered %v", err)
	}
	if caller, err := w.config.Authority.Verify(ctx, token.AccessToken); err != nil || caller.ObjectID != ann {
		t.Errorf("caller is %+v, %v", caller, err)
	}
}

func TestAnOrdinaryRobotLogsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, provider, _ := ordinary(t, w, oauth2.Config{})
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		config := clientcredentials.Config{
			ClientID: robot.String(), ClientSecret: goodSecret,
			TokenURL: provider.Endpoint().TokenURL, AuthStyle: style,
			Scopes: []string{"https://graph.microsoft.com/.default"},
		}
		token, err := config.Token(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if caller, err := w.config.Authority.Verify(ctx, token.AccessToken); err != nil || caller.AppID != robot {
			t.Errorf("caller is %+v, %v", caller, err)
		}
	}
}
