package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"licensor/internal/identity"
	"licensor/internal/identity/oauth"
	"licensor/internal/people"
)

// compareTokens puts the token endpoint under load, and compares it with a handler that compares
// the secret and signs a token for each request.
func compareTokens(
	ctx context.Context, o *ours, authority *identity.Authority, load time.Duration, rounds, connections int,
) error {
	endpoint, err := oauth.New(oauth.Config{
		Authority: authority, Tenants: people.Directory{Tenants: o.tenants},
		Tickets: o.store, Now: time.Now, Random: rand.Reader, Log: slog.Default(),
		Client: http.DefaultClient, DeviceKey: make([]byte, 32),
	})
	if err != nil {
		return err
	}
	served, err := serve(ctx, endpoint.Handler())
	if err != nil {
		return err
	}
	defer served.close()
	bare, err := serve(ctx, signing(authority))
	if err != nil {
		return err
	}
	defer bare.close()
	request := func(int) []byte { return o.tokenRequest(served.address) }
	return compare(ctx, "a token for an application", served.address,
		bare.address, request, 1, load, rounds, connections)
}

func (o *ours) tokenRequest(address string) []byte {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id('a', 3).String()}, "client_secret": {secret}, "scope": {identity.GraphURL + "/.default"},
	}.Encode()
	return fmt.Appendf(nil, "POST /%s/oauth2/v2.0/token HTTP/1.1\r\nHost: %s\r\nContent-Type: "+
		"application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		o.tenant.ID(), address, len(form), form)
}

// signing returns the usual implementation: a signature for each token.
func signing(authority *identity.Authority) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.PostFormValue("client_secret")), []byte(secret)) != 1 {
			http.Error(w, "wrong secret", http.StatusUnauthorized)
			return
		}
		token, err := authority.Issue(identity.Claims{
			ObjectID: id('a', 1), AppID: id('a', 3), Permissions: []string{"User.ReadWrite.All"},
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body := fmt.Appendf(nil, `{"token_type":"Bearer","expires_in":3599,"access_token":"%s"}`, token)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
}
