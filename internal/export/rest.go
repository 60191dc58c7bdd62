package export

import (
	"encoding/hex"
	"strconv"
	"time"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/store"
)

var settings = &table{
	name: "settings", line: "settings",
	columns: []column{
		of("autoReprocess", directory.KindBool), text("groupBundles"), text("reprocessFailure"), text("memberOfRules"),
		of("auditDays", directory.KindInt32), of("signInDays", directory.KindInt32),
	},
	size: func(*Tenant) int { return 1 },
	rows: func(t *Tenant, to *rowWriter) error {
		s := t.image.Licensing.Settings()
		to.add(func(b []byte) []byte { return jsontext.AppendBool(b, s.AutoReprocess) })
		to.text(string(s.GroupBundles))
		to.text(string(s.ReprocessFailure))
		to.text(string(t.image.MemberOfRules()))
		to.add(func(b []byte) []byte { return jsontext.AppendInt(b, t.image.AuditDays()) })
		to.add(func(b []byte) []byte { return jsontext.AppendInt(b, t.image.SignInDays()) })
		return to.end()
	},
}

var subscriptions = &table{
	name: "subscriptions", line: "subscription",
	columns: []column{
		text("id"), text("commerceSubscriptionId"), text("skuId"), text("skuPartNumber").as("-"), text("status"),
		of("totalLicenses", directory.KindInt32), of("isTrial", directory.KindBool),
		of("createdDateTime", directory.KindDateTime), of("nextLifecycleDateTime", directory.KindDateTime),
	},
	size: func(t *Tenant) int { return len(t.image.Subscriptions) },
	rows: func(t *Tenant, to *rowWriter) error {
		for _, s := range t.image.Subscriptions {
			to.id(s.ID)
			to.id(s.CommerceSubscriptionID)
			to.sku(s.SKUID)
			to.text(s.Status)
			to.add(func(b []byte) []byte { return jsontext.AppendInt(b, s.TotalLicenses) })
			to.add(func(b []byte) []byte { return jsontext.AppendBool(b, s.IsTrial) })
			to.add(func(b []byte) []byte { return jsontext.AppendTime(b, s.CreatedDateTime) })
			to.add(func(b []byte) []byte { return appendTimeOf(b, s.NextLifecycleDateTime) })
			if err := to.end(); err != nil {
				return err
			}
		}
		return nil
	},
}

var prices = &table{
	name: "prices", line: "price",
	columns: []column{
		text("skuId"), text("skuPartNumber").as("-"), text("amount"), text("currency"), text("period"), text("validFrom"),
	},
	size: func(t *Tenant) int { return len(t.image.Prices()) },
	rows: func(t *Tenant, to *rowWriter) error {
		for _, p := range t.image.Prices() {
			to.sku(p.SKUID)
			to.text(p.Amount.String())
			to.text(p.Currency)
			to.text(string(p.Each))
			to.text(p.ValidFrom.String())
			if err := to.end(); err != nil {
				return err
			}
		}
		return nil
	},
}

func appendTimeOf(b []byte, at *time.Time) []byte {
	if at == nil {
		return append(b, "null"...)
	}
	return jsontext.AppendTime(b, *at)
}

// TableCommits is the name of the table of commits.
const TableCommits = "commits"

var commits = &table{
	name: TableCommits, line: "commit", local: true,
	columns: []column{
		of("seq", directory.KindInt32), of("at", directory.KindDateTime), text("actor"), text("operation"),
		of("format", directory.KindInt32), text("chain"), of("bytes", directory.KindInt32),
	},
	size: func(t *Tenant) int {
		floors, err := t.view.Floors()
		if err != nil {
			return 0 // reading the commits says so
		}
		return int(t.Seq - max(floors.Log, 1) + 1)
	},
	rows: func(t *Tenant, to *rowWriter) error {
		return t.commits(func(c *store.Commit) error {
			to.add(func(b []byte) []byte { return strconv.AppendUint(b, c.Seq, 10) })
			to.text(c.At.UTC().Format("2006-01-02T15:04:05.000Z"))
			to.text(c.Actor)
			to.text(c.Operation)
			to.add(func(b []byte) []byte { return strconv.AppendUint(b, uint64(c.Format), 10) })
			to.text(hex.EncodeToString(c.Chain[:]))
			to.add(func(b []byte) []byte { return jsontext.AppendInt(b, len(c.Effects)) })
			if err := to.end(); err != nil {
				return err
			}
			return to.advance()
		})
	},
}
