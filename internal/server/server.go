// Package server is one server over one database, as a command or another program runs it: its
// options, how it founds tenants, what answers which requests, how connections come in, TLS, health
// and metrics. The root package is what other programs use of it.
package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"licensor/internal/database"
	"licensor/internal/engine"
	"licensor/internal/graph"
	"licensor/internal/graph/changes"
	"licensor/internal/graph/own"
	"licensor/internal/identity"
	"licensor/internal/identity/oauth"
	"licensor/internal/memory"
	"licensor/internal/people"
	"licensor/internal/signins"
)

// Server answers all requests, with one database.
type Server struct {
	settings    *settings
	store       database.Store
	keys        identity.Keys // the store's, encrypted if there is a key
	tenants     *engine.Tenants
	authority   *identity.Authority
	logins      *oauth.Server
	signIns     *signins.Recorder
	now         func() time.Time
	development *development // nil without
	ready       *readiness
	metrics     *metrics
	backups     *own.Backups
	exports     *own.Exports
	memory      *memory.Budget // of requests; nil without a limit
	handler     http.Handler   // Graph, our own operations, the authority, health and metrics
}

// hashingShare is the part of the memory that hashing passwords may use: one in so many.
const hashingShare = 8

// Open opens a database, which it creates if it does not exist, and loads its tenants. An invalid
// option is an *OptionError. Background work begins with Run.
func Open(ctx context.Context, options Options) (*Server, error) {
	s, err := OpenUnhindered(ctx, options)
	if err != nil || !options.Development {
		return s, err
	}
	if err := s.Hinder(ctx); err != nil {
		return nil, s.abandon(ctx, err)
	}
	return s, nil
}

// OpenUnhindered is like Open but only validates the faults and delays of the options: Hinder
// activates them.
func OpenUnhindered(ctx context.Context, options Options) (s *Server, err error) {
	settings, err := options.validated()
	if err != nil {
		return nil, err
	}
	s = &Server{settings: settings, now: settings.Now}
	if settings.Development {
		s.development = newDevelopment(&s.now)
	}
	if s.store, err = settings.open(ctx); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		if errors.Is(err, identity.ErrSealed) {
			err = &OptionError{
				Type: "Options", Option: "SecretsKey", Problem: "is not the key of this database: " + err.Error(), Err: err,
			}
		}
		return nil, s.abandon(ctx, err)
	}
	return s, nil
}

// abandon closes a server that cannot be used, and returns why.
func (s *Server) abandon(ctx context.Context, err error) error {
	if closing := s.Close(context.WithoutCancel(ctx)); closing != nil {
		return errors.Join(err, closing)
	}
	return err
}

// open opens the database. When the file cannot be used, the error is an *OptionError.
func (s *settings) open(ctx context.Context) (database.Store, error) {
	if s.Memory {
		return database.OpenMemory(ctx)
	}
	db, err := database.Open(ctx, s.name, database.Options{
		Create: true, AllowDataLoss: s.AllowDataLoss, Wait: s.DatabaseWait, Log: s.Log,
	})
	if err == nil || ctx.Err() != nil {
		return db, err
	}
	option := "Data"
	if s.Database != "" {
		option = "Database"
	}
	return nil, unusable("Options", option, s.name.String(), err)
}

// start creates everything that uses the store.
func (s *Server) start(ctx context.Context) (err error) {
	if s.keys, err = identity.Seal(s.store, s.settings.SecretsKey); err != nil {
		return err
	}
	if s.settings.Quick {
		if err := identity.ShareKeys(ctx, s.keys); err != nil {
			return err
		}
	}
	s.ready = newReadiness(s.store, time.Now, s.settings.Log)
	s.tenants, err = engine.Open(ctx, appending{s.store, s.ready}, engine.Options{
		Now: s.now, NewID: uuid.New, Log: s.settings.Log, Damaged: s.store.NoteDamage, Memory: s.settings.TenantMemory,
		KeepDays: s.settings.KeepDays, Loading: s.settings.Loading,
	})
	if err != nil {
		return err
	}
	if err := s.pin(ctx); err != nil {
		return err
	}
	if err := s.development.open(ctx, s); err != nil {
		return err
	}
	s.authority, err = identity.New(ctx, identity.Config{
		Keys: s.keys, Tenants: people.Directory{Tenants: s.tenants},
		Now: s.now, Random: rand.Reader, PublicURL: s.settings.PublicURL,
		Issuers: people.Directory{Tenants: s.tenants}, Client: new(http.Client), Log: s.settings.Log,
	})
	if err != nil {
		return err
	}
	deviceKey, err := s.deviceKey(ctx)
	if err != nil {
		return err
	}
	s.signIns = signins.NewRecorder(s.store, s.settings.Log)
	s.logins, err = oauth.New(oauth.Config{
		Authority: s.authority, Tenants: people.Directory{Tenants: s.tenants},
		Tickets: s.store, Now: s.now, Random: rand.Reader, Log: s.settings.Log,
		Client: &http.Client{Timeout: 10 * time.Second}, Cost: s.settings.cost, DeviceKey: deviceKey,
		SignIns: s.signIns,
	})
	if err != nil {
		return err
	}
	if limit := s.settings.MemoryLimit; limit > 0 {
		s.memory = memory.OfProcess(limit)
		identity.BoundHashing(limit / hashingShare)
	}
	s.metrics = newMetrics(s.tenants, s.signIns, s.memory)
	s.backups = &own.Backups{Write: s.writeBackup, Operators: s.settings.operators}
	s.exports = &own.Exports{Write: s.writeExport}
	s.handler = s.settings.proxies.before(s.routes())
	return nil
}

func (s *Server) deviceKey(ctx context.Context) ([]byte, error) {
	key, err := s.store.Secret(ctx, "device-cookies", func() ([]byte, error) {
		key := make([]byte, sha256.Size)
		_, err := rand.Read(key)
		return key, err
	})
	if err != nil {
		return nil, fmt.Errorf("the key for the cookies of devices: %w", err)
	}
	return key, nil
}

// routes separates the paths of Graph, and of our own operations under /licensor, from all others
// without a ServeMux, which would redirect encoded and empty segments that Graph's paths may have.
func (s *Server) routes() http.Handler {
	around := s.development.served().Around
	api := around(s.metrics.count(graph.New(graph.Config{
		Authority: s.authority, Tenant: s.tenants.Tenant, Now: s.now,
		NewID: uuid.New, Log: s.settings.Log, Origins: s.settings.Origins,
		Limits: s.settings.limits, PasswordCost: s.settings.cost, Development: s.development.served(), Memory: s.memory,
		Backups: s.backups, Exports: s.exports, SignIns: s.signIns,
		PreviewMemory: min(s.settings.MemoryLimit/8, changes.UsualMemory),
	})))
	mux := http.NewServeMux()
	mux.Handle("/", around(s.metrics.count(s.recovering(s.within(s.logins.Handler())))))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics.handler())
	rest := s.recovering(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
		switch strings.ToLower(first) {
		case "v1.0", "beta", "licensor":
			api.ServeHTTP(w, r)
		default:
			rest.ServeHTTP(w, r)
		}
	})
}

// ServeHTTP answers requests to Graph, our own operations, the authority, health and metrics.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Database returns how messages call the database.
func (s *Server) Database() string { return s.settings.name.String() }

// Now returns the time of the server.
func (s *Server) Now() time.Time { return s.now() }

// Tenants returns the tenants of the database.
func (s *Server) Tenants() *engine.Tenants { return s.tenants }

// flushWait is how long Close writes sign-ins at most, even if its context has ended.
const flushWait = 10 * time.Second

// Close ends all work and closes the database.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	if s.signIns != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushWait)
		errs = append(errs, s.signIns.Flush(last))
		cancel()
	}
	if s.tenants != nil {
		errs = append(errs, s.tenants.Close(ctx))
	}
	return errors.Join(append(errs, s.store.Close())...)
}

// tidyTime is the interval at which objects that were deleted long ago are purged, and old commits
// removed from logs, and ticketTime
// the interval at which expired tickets are removed: anyone can cause device codes to be stored,
// and expired ones must make room for others.
const (
	tidyTime   = time.Hour
	ticketTime = time.Minute
)

// Run starts the background work; the returned function stops it and waits for it.
func (s *Server) Run(ctx context.Context) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { s.tenants.Tidy(ctx, tidyTime) })
	tasks.Go(func() { s.tenants.EvaluateRules(ctx) })
	trimming := engine.Trimming{Keep: max(0, s.settings.KeepLog), Audited: true, Archive: s.settings.archive}
	tasks.Go(func() { s.tenants.TrimAll(ctx, tidyTime, trimming) })
	tasks.Go(func() { s.signIns.Run(ctx) })
	tasks.Go(func() { s.ready.watch(ctx) })
	tasks.Go(func() {
		s.again(ctx, ticketTime, "expired data could not be removed; will retry", func() error {
			_, err := s.store.DropTickets(ctx, s.now())
			return err
		})
	})
	if s.settings.backups != nil {
		tasks.Go(func() { s.backUp(ctx, *s.settings.backups) })
	}
	if file := s.settings.Record; file != "" {
		tasks.Go(func() { s.record(ctx, file) })
	}
	if age := s.settings.RotateKeys; age > 0 {
		tasks.Go(func() {
			s.again(ctx, tidyTime, "the signing key could not be replaced; will retry", func() error {
				return s.authority.RotateAfter(ctx, age)
			})
		})
	}
	return func() {
		stop()
		tasks.Wait()
	}
}

// again calls do immediately, and at intervals until the context ends. It logs errors.
func (s *Server) again(ctx context.Context, every time.Duration, failed string, do func() error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := do(); err != nil && ctx.Err() == nil {
			s.settings.Log.Error(failed, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
