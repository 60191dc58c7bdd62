package server

import (
	"cmp"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"time"

	"licensor/internal/archive"
	"licensor/internal/backup"
	"licensor/internal/database"
	"licensor/internal/durable"
	"licensor/internal/engine"
	"licensor/internal/graph/devkit"
	"licensor/internal/graph/own"
	"licensor/internal/graph/throttle"
	"licensor/internal/guid"
	"licensor/internal/identity"
)

// Options configure a server. The root package has the same fields and documents them.
type Options struct {
	Data          string
	Database      string
	DatabaseWait  time.Duration
	Memory        bool
	AllowDataLoss bool
	SecretsKey    []byte

	PublicURL      string
	Origins        []string
	TrustedProxies []string
	Operators      []string

	RotateKeys       time.Duration
	KeepLog          time.Duration
	KeepDays         int
	ArchiveLog       string
	BackupDir        string
	BackupEvery      time.Duration
	BackupKeep       int
	ApplicationLimit int
	TenantLimit      int
	MemoryLimit      int64
	TenantMemory     int64
	Pin              []string
	Loading          int

	Development     bool
	Clock           time.Time
	Faults          []string
	Latency         time.Duration
	GroupProcessing time.Duration
	Record          string
	Quick           bool

	Now func() time.Time
	Log *slog.Logger
}

// The defaults of a server.
const (
	UsualRotation         = 90 * 24 * time.Hour
	LeastRotation         = tidyTime // the age of the key is not checked more often
	UsualApplicationLimit = 200_000  // resource units in 10 seconds (docs/spec/protocol.md P43)
	UsualTenantLimit      = 400_000
	UsualDatabaseWait     = 30 * time.Second
	UsualKeepLog          = 400 * 24 * time.Hour
	UsualBackupEvery      = 24 * time.Hour
	UsualBackupKeep       = 7
	LeastMemory           = 1 << 20 // bytes: fewer are a mistake in the unit
	UsualLoading          = 2       // tenants at the same time
	MostLoading           = 64
	LeastKeepLog          = 7 * 24 * time.Hour // as long as delta links of Graph are valid
)

// settings are validated options.
type settings struct {
	Options
	name    database.Name  // unless Memory
	archive engine.Archive // nil without
	backups *backup.Folder // nil without
	proxies proxies
	// operators may back up all tenants.
	operators []own.Operator
	faults    []devkit.Fault
	limits    throttle.Limits
	cost      identity.PasswordCost
}

// validated validates all options and fills in defaults. No other function does either.
func (o Options) validated() (*settings, error) {
	s := &settings{Options: o, cost: identity.UsualCost}
	s.Log = cmp.Or(o.Log, slog.Default())
	s.RotateKeys = cmp.Or(o.RotateKeys, UsualRotation)
	s.Loading = cmp.Or(o.Loading, UsualLoading)
	s.KeepLog = cmp.Or(o.KeepLog, UsualKeepLog)
	s.KeepDays = cmp.Or(o.KeepDays, min(engine.UsualKeepDays, s.logDays()))
	s.limits = throttle.Limits{
		PerApplication: bound(o.ApplicationLimit, UsualApplicationLimit),
		PerTenant:      bound(o.TenantLimit, UsualTenantLimit),
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	s.TenantMemory = cmp.Or(o.TenantMemory, o.MemoryLimit/8*5) // requests take a quarter, and an eighth stays free
	if o.Quick {
		s.RotateKeys = cmp.Or(o.RotateKeys, -1) // the age of the shared key is unknown
		s.cost = identity.PasswordCost{Memory: 8, Passes: 1, Threads: 1}
	}
	for _, check := range []func() error{
		s.checkData, s.checkArchive, s.checkBackups, s.checkAddresses, s.checkOperators, s.checkDevelopment,
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// bound converts a limit: 0 means the default, and a negative one means no limit, which is 0 from
// here on.
func bound(given, usual int) int { return max(0, cmp.Or(given, usual)) }

// logDays returns for how many days the log is kept.
func (s *settings) logDays() int {
	if s.KeepLog < 0 {
		return math.MaxInt
	}
	return int(s.KeepLog / (24 * time.Hour))
}

func (s *settings) checkData() error {
	if err := s.checkName(); err != nil {
		return err
	}
	switch {
	case s.MemoryLimit < 0 || s.MemoryLimit > 0 && s.MemoryLimit < LeastMemory:
		return wrong("MemoryLimit", "is %d bytes: it must be 0 (no limit), or %d or more", s.MemoryLimit, LeastMemory)
	case s.TenantMemory < 0:
		return wrong("TenantMemory", "is %d: it must be 0 (a part of MemoryLimit) or more", s.TenantMemory)
	case s.Loading < 1 || s.Loading > MostLoading:
		return wrong("Loading", "is %d: it must be 1 to %d", s.Loading, MostLoading)
	case s.RotateKeys >= 0 && s.RotateKeys < LeastRotation:
		return wrong("RotateKeys", "is %s: it must be %s or more, or negative for never", s.RotateKeys, LeastRotation)
	case s.KeepLog >= 0 && s.KeepLog < LeastKeepLog:
		return wrong("KeepLog", "is %s: delta links are valid for 7 days, so it is at least 7 days (%s), or "+
			"negative to keep all", s.KeepLog, LeastKeepLog)
	case s.KeepDays < 1 || s.KeepDays > s.logDays():
		return wrong("KeepDays", "is %d: it must be at least 1, and not longer than the log is kept, %d days",
			s.KeepDays, s.logDays())
	case s.SecretsKey != nil && len(s.SecretsKey) != identity.SealingKeySize:
		return wrong("SecretsKey", "has %d bytes: it must have %d", len(s.SecretsKey), identity.SealingKeySize)
	}
	return nil
}

func (s *settings) checkName() (err error) {
	switch {
	case s.Data == "" && s.Database == "" && !s.Memory:
		return wrong("Data", `is "": name the file of the database, or set Database or Memory`)
	case s.Data != "" && s.Memory:
		return wrong("Memory", "is true, but Data is %q: set one of them", s.Data)
	case s.Database != "" && s.Memory:
		return wrong("Memory", "is true, but Database is set: set one of them")
	case s.DatabaseWait != 0 && s.Memory:
		return wrong("DatabaseWait", "is %s, but Memory is true: there is no database to wait for", s.DatabaseWait)
	case s.AllowDataLoss && s.Memory:
		return wrong("AllowDataLoss", "is true, but Memory is true: a database in memory starts empty, and lacks nothing")
	case s.Data != "" && s.Database != "":
		return wrong("Database", "is set, but Data is %q: set one of them", s.Data)
	case s.Data == ":memory:":
		return wrong("Data", `is ":memory:", which would be a file of that name: set Memory`)
	case s.Data != "":
		if err := database.CheckFile(s.Data); err != nil {
			return wrong("Data", "%s", err)
		}
		s.name = database.File(s.Data)
	case s.Database != "":
		if s.name, err = database.Parse(s.Database); err != nil {
			return wrong("Database", "%s", err)
		}
	}
	s.DatabaseWait = max(0, cmp.Or(s.DatabaseWait, UsualDatabaseWait))
	return nil
}

func (s *settings) checkArchive() error {
	if s.ArchiveLog == "" {
		return nil
	}
	folder, err := archive.Open(s.ArchiveLog)
	if err != nil {
		return wrong("ArchiveLog", "is %q: %s", s.ArchiveLog, err)
	}
	s.archive = folder
	return nil
}

func (s *settings) checkBackups() error {
	every, keep := cmp.Or(s.BackupEvery, UsualBackupEvery), cmp.Or(s.BackupKeep, UsualBackupKeep)
	switch {
	case every < time.Minute:
		return wrong("BackupEvery", "is %s: it must be a minute or more", every)
	case keep < 1:
		return wrong("BackupKeep", "is %d: it must be 1 or more", keep)
	case s.BackupDir == "" && (s.BackupEvery != 0 || s.BackupKeep != 0):
		return wrong("BackupDir", "is not set: name the folder for the backups")
	case s.BackupDir == "":
		return nil
	}
	folder, err := backup.OpenFolder(backup.Folder{Path: s.BackupDir, Every: every, Keep: keep})
	if err != nil {
		return wrong("BackupDir", "is %q: %s", s.BackupDir, err)
	}
	s.backups = &folder
	return nil
}

func (s *settings) checkAddresses() error {
	if _, err := identity.ParsePublicURL(s.PublicURL); err != nil {
		return wrong("PublicURL", "is %q: give a scheme and host only, such as https://licensor.example.com", s.PublicURL)
	}
	for _, origin := range s.Origins {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	for _, text := range s.TrustedProxies {
		r, err := netip.ParsePrefix(text)
		if address, other := netip.ParseAddr(text); other == nil {
			r, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return wrong("TrustedProxies", "is %q, which is not an address or a range of addresses: give one such "+
				"as 10.0.0.5 or 10.0.0.0/8", text)
		}
		s.proxies = append(s.proxies, r.Masked())
	}
	return nil
}

func (s *settings) checkOperators() error {
	for _, text := range s.Operators {
		first, second, _ := strings.Cut(text, "/")
		tenantID, isID := guid.Parse(first)
		appID, alsoID := guid.Parse(second)
		if !isID || !alsoID {
			return wrong("Operators", "has %q: give the id of a tenant and the client id of one of its applications, as "+
				"TENANT/CLIENT-ID", text)
		}
		s.operators = append(s.operators, own.Operator{Tenant: tenantID, AppID: appID})
	}
	return nil
}

// checkOrigin refuses an origin that no browser sends, for example with a path or without a scheme.
// Its port may be *, which means any.
func checkOrigin(origin string) error {
	root, err := identity.ParsePublicURL(strings.TrimSuffix(origin, ":*"))
	if err != nil || root == "" || strings.HasSuffix(origin, "/") {
		return wrong("Origins", "has %q, which is not an origin: give a scheme and host, and a port or * if need be, such as "+
			"https://admin.contoso.com or http://localhost:*", origin)
	}
	return nil
}

func (s *settings) checkDevelopment() error {
	if !s.Development {
		for _, o := range []struct {
			name  string
			given bool
		}{
			{"Clock", !s.Clock.IsZero()},
			{"Faults", len(s.Faults) > 0},
			{"Latency", s.Latency != 0},
			{"GroupProcessing", s.GroupProcessing != 0},
			{"Record", s.Record != ""},
			{"Quick", s.Quick},
		} {
			if o.given {
				return wrong(o.name, "is for tests: set Development, which makes the server unsafe for any other use")
			}
		}
		return nil
	}
	if year := s.Clock.Year(); year < 1 || year > 9999 {
		return wrong("Clock", "is in the year %d: it must be in one from 1 to 9999", year)
	}
	if s.GroupProcessing < 0 {
		return wrong("GroupProcessing", "is %s: it must be 0 or more", s.GroupProcessing)
	}
	s.TenantMemory = 0 // what is processed later holds its tenant
	if s.Record != "" {
		data, _ := s.name.IsFile()
		if err := durable.Replaceable(s.Record, data); err != nil {
			return wrong("Record", "is %q: %s", s.Record, err)
		}
	}
	return s.checkFaults()
}

func (s *settings) checkFaults() error {
	if s.Latency != 0 {
		if s.Latency < 0 || s.Latency > devkit.MaxLatency {
			return wrong("Latency", "is %s: it must be 0 to %s", s.Latency, devkit.MaxLatency)
		}
		s.faults = append(s.faults, devkit.Fault{Path: "/**", Latency: s.Latency})
	}
	if n := len(s.faults) + len(s.Faults); n > devkit.MaxFaults {
		return wrong("Faults", "has %d, with one for Latency if that is set; at most %d are possible", n, devkit.MaxFaults)
	}
	for _, text := range s.Faults {
		f, err := parseFault(text)
		if err == nil {
			err = f.Check()
		}
		if err != nil {
			return wrong("Faults", "has %q: %s", text, err)
		}
		s.faults = append(s.faults, f)
	}
	return nil
}
