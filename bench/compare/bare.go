package main

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/identity"
)

// gate accepts requests with a valid token. It verifies tokens with the product's own code.
type gate struct {
	authority *identity.Authority
	token     string // a valid one
}

func newGate(ctx context.Context) (*gate, error) {
	authority, err := identity.New(ctx, identity.Config{
		Keys: &oneSecret{}, Tenants: oneCaller{}, Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		return nil, err
	}
	token, err := authority.Issue(identity.Claims{
		Tenant: callerID, ObjectID: callerID, AppID: callerID,
		Permissions: []string{"User.Read.All"}, Expires: time.Now().Add(24 * time.Hour),
	})
	return &gate{authority, token}, err
}

func (g *gate) guard(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		raw, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if _, err := g.authority.Verify(r.Context(), raw); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// serve announces the address and serves until the context is done.
func (g *gate) serve(ctx context.Context, h http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := announce(listener.Addr().String(), g.token); err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = s.Close() }) // open connections do not matter at the end
	if err := s.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

var callerID = uuid.MustParse("0b0e0000-0000-4000-8000-000000000001")

// oneSecret keeps the signing keys in memory.
type oneSecret struct{ value []byte }

func (s *oneSecret) Secret(_ context.Context, _ string, create func() ([]byte, error)) (_ []byte, err error) {
	if s.value == nil {
		s.value, err = create()
	}
	return s.value, err
}

func (s *oneSecret) ReplaceSecret(_ context.Context, _ string, change func([]byte) ([]byte, error)) (err error) {
	s.value, err = change(s.value)
	return err
}

// oneCaller is a directory with one tenant and one application.
type oneCaller struct{}

var _ identity.Directory = oneCaller{}

func (oneCaller) Tenant(context.Context, string) (uuid.UUID, error) { return callerID, nil }

func (oneCaller) Application(context.Context, uuid.UUID, uuid.UUID) (identity.App, error) {
	return identity.App{ID: callerID, AppID: callerID, Enabled: true, Permissions: []string{"User.Read.All"}}, nil
}

func (oneCaller) User(context.Context, uuid.UUID, uuid.UUID) (identity.User, error) {
	return identity.User{}, nil
}

// serveBare serves files of the folder from memory. It does nothing but verify the token and write
// the bytes, which makes it the upper bound for any server.
func serveBare(ctx context.Context, folder string) error {
	g, err := newGate(ctx)
	if err != nil {
		return err
	}
	bodies := map[string][]byte{}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if bodies["/"+filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return err
		}
	}
	return g.serve(ctx, g.guard(func(w http.ResponseWriter, r *http.Request) {
		body := bodies[r.URL.Path]
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
}
