package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"licensor/internal/graph"
	"licensor/internal/identity"
	"licensor/internal/identity/oauth"
	"licensor/internal/memory"
	"licensor/internal/store/sqlite"
	"licensor/internal/tenant"
)

// defaultData is the database when none is named.
const defaultData = "licensor.db"

// service is everything that answers requests, over one database.
type service struct {
	store       *sqlite.Store
	keys        identity.Keys // the store's, encrypted when there is a key for that
	tenants     *tenant.Tenants
	authority   *identity.Authority
	logins      *oauth.Server
	now         func() time.Time
	rotate      time.Duration // see serviceOptions
	development *development
	ready       *readiness
	metrics     *metrics
	memory      *memory.Budget // of requests
	handler     http.Handler   // Graph, our own operations, the authority, health and metrics
}

type serviceOptions struct {
	secrets     secretsKey
	acceptLoss  bool // of acknowledged changes
	publicURL   string
	origins     []string         // of pages whose browsers may call
	now         func() time.Time // time.Now when nil
	limits      graph.Limits
	development *development
	rotateAfter time.Duration // age of the signing key; 0: it is never replaced
	memory      int64         // how much of it Go may have, in bytes; 0: requests have no bound
}

// hashingShare is the part of the memory that hashing passwords may take: one in so many.
const hashingShare = 8

// openService opens a database and brings its tenants to life.
func openService(ctx context.Context, path string, options serviceOptions) (s *service, err error) {
	if options.now == nil {
		options.now = time.Now
	}
	if err := options.development.begin(&options.now); err != nil {
		return nil, err
	}
	s = &service{now: options.now, development: options.development, rotate: options.rotateAfter}
	open := sqlite.Open
	if options.acceptLoss {
		open = sqlite.OpenDespiteLoss
	}
	if s.store, err = open(ctx, path); err != nil {
		return nil, err
	}
	opened := s // what is answered with an error is nil
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close(context.WithoutCancel(ctx)))
		}
	}()
	if s.keys, err = options.secrets.wrap(s.store); err != nil {
		return nil, err
	}
	s.tenants, err = tenant.Open(ctx, s.store, tenant.Options{Now: options.now, NewID: uuid.New, Log: slog.Default()})
	if err != nil {
		return nil, err
	}
	if err = options.development.open(s.tenants); err != nil {
		return nil, err
	}
	s.authority, err = identity.New(ctx, identity.Config{
		Keys: s.keys, Tenants: people{s.tenants}, Now: options.now, Random: rand.Reader, PublicURL: options.publicURL,
		Issuers: people{s.tenants}, Client: new(http.Client), Log: slog.Default(),
	})
	if err != nil {
		return nil, explainSealed(err)
	}
	deviceKey, err := s.store.Secret(ctx, "device-cookies", func() ([]byte, error) {
		key := make([]byte, sha256.Size)
		_, err := rand.Read(key)
		return key, err
	})
	if err != nil {
		return nil, fmt.Errorf("the key for the cookies of devices: %w", err)
	}
	s.logins, err = oauth.New(oauth.Config{
		Authority: s.authority, Tenants: people{s.tenants}, Tickets: s.store, Now: options.now, Random: rand.Reader, Log: slog.Default(),
		Client: &http.Client{Timeout: 10 * time.Second}, Cost: identity.UsualCost, DeviceKey: deviceKey,
	})
	if err != nil {
		return nil, err
	}
	s.ready = newReadiness(s.store, time.Now)
	if options.memory > 0 {
		s.memory = memory.OfProcess(options.memory)
		identity.BoundHashing(options.memory / hashingShare)
	}
	s.handler = s.routes(options)
	return s, nil
}

// routes parts what is Graph's, and our own operations under /licensor, from the rest by hand: a ServeMux would redirect the encoded and
// empty segments that Graph's paths may have.
func (s *service) routes(options serviceOptions) http.Handler {
	s.metrics = newMetrics(s.tenants, s.memory)
	api := s.metrics.count(graph.New(graph.Config{
		Authority: s.authority, Tenant: s.tenants.Tenant, Now: options.now, NewID: uuid.New, Log: slog.Default(), Origins: options.origins,
		Limits: options.limits, Development: options.development.served(), Memory: s.memory,
	}))
	mux := http.NewServeMux()
	mux.Handle("/", s.metrics.count(sparing(s.within(s.logins.Handler()), options.now)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics.handler())
	rest := sparing(mux, options.now)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch strings.ToLower(first) {
		case "v1.0", "beta", "licensor":
			api.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// Close ends all work and closes the database.
func (s *service) Close(ctx context.Context) error {
	var errs []error
	if s.tenants != nil {
		errs = append(errs, s.tenants.Close(ctx))
	}
	return errors.Join(append(errs, s.store.Close())...)
}
