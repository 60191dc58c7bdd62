package licensing

import (
	"slices"
	"testing"

	"github.com/google/uuid"
)

func TestL81NamesWithoutTiers(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"SHAREPOINTSTANDARD", "SHAREPOINTENTERPRISE", "SharePointDeskless"},
		{"EXCHANGE_S_STANDARD", "EXCHANGE_S_ENTERPRISE", "EXCHANGE_S_DESKLESS"},
		{"FLOW_O365_P2", "FLOW_O365_P3", "FLOW_O365_S1"},
		{"FORMS_PLAN_E3", "FORMS_PLAN_K"},
		{"BPOS_S_TODO_1", "BPOS_S_TODO_FIRSTLINE"},
		{"WHITEBOARD_PLAN2", "WHITEBOARD_FIRSTLINE1"},
		{"AAD_PREMIUM", "AAD_PREMIUM_P2", "AAD_BASIC"},
		{"RMS_S_PREMIUM", "RMS_S_PREMIUM2"},
		{"MIP_S_CLP1", "MIP_S_CLP2"},
		{"STREAM_O365_E3", "STREAM_O365_SMB"},
	} {
		for _, name := range same {
			if got, want := serviceName(name), serviceName(same[0]); got != want {
				t.Errorf("%s is %s, and %s is %s", name, got, same[0], want)
			}
		}
	}
	for _, other := range [][2]string{
		{"EXCHANGE_S_STANDARD", "EXCHANGE_S_FOUNDATION"},
		{"EXCHANGE_S_STANDARD", "EXCHANGE_S_ARCHIVE_ADDON"},
		{"OFFICESUBSCRIPTION", "OFFICEMOBILE_SUBSCRIPTION"},
		{"PROJECT_O365_P1", "FLOW_O365_P1"},
		{"ADALLOM_S_O365", "ADALLOM_S_DISCOVERY"},
		{"CDS_O365_P2", "DYN365_CDS_O365_P2"},
		{"MCOSTANDARD", "MCOEV"},
		{"MDE_LITE", "MDE_SMB"},
		{"INTUNE_A", "INTUNE_O365"},
	} {
		if serviceName(other[0]) == serviceName(other[1]) {
			t.Errorf("%s and %s are both %s", other[0], other[1], serviceName(other[0]))
		}
	}
}

func TestL81DisabledPlansOfAnotherProduct(t *testing.T) {
	t.Parallel()
	plan := func(n byte, name, service string) ServicePlan {
		return ServicePlan{ID: uuid.UUID{1, n}, Name: name, Service: service}
	}
	c := &Catalog{ServicePlans: []ServicePlan{
		plan(1, "MAIL_STANDARD", "mail"), plan(2, "MAIL_ENTERPRISE", "mail"), plan(3, "SUITE", "apps"), plan(4, "CHAT", "chat"),
		plan(5, "SUITE_BUSINESS", "apps"), plan(6, "VAULT_P1", "a"), plan(7, "VAULT_P2", "b"), plan(8, "MAIL_BASIC", "mail"),
	}}
	c.ServicePlans[2].Excludes = []uuid.UUID{{1, 5}}
	of := func(n byte, name string, plans ...byte) Product {
		p := Product{SKUID: uuid.UUID{2, n}, SKUPartNumber: name, DisplayName: name}
		for _, plan := range plans {
			p.ServicePlanIDs = append(p.ServicePlanIDs, uuid.UUID{1, plan})
		}
		return p
	}
	c.Products = []Product{of(1, "SMALL", 1, 4, 5, 6, 8), of(2, "LARGE", 2, 3, 4, 7)}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	img := New(c)
	small, large := &c.Products[0], &c.Products[1]
	for _, test := range []struct{ disabled, want []byte }{
		{nil, nil},
		{[]byte{4}, []byte{4}},
		{[]byte{1}, nil},          // MAIL_BASIC is enabled
		{[]byte{1, 8}, []byte{2}}, // all tiers of the service
		{[]byte{5}, []byte{3}},    // they exclude each other
		{[]byte{6}, nil},          // another service
	} {
		var got []byte
		var disabled []uuid.UUID
		for _, n := range test.disabled {
			disabled = append(disabled, uuid.UUID{1, n})
		}
		for _, id := range img.Corresponding(small, large, disabled) {
			got = append(got, id[1])
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("without %v, %v are disabled; want %v", test.disabled, got, test.want)
		}
	}
	if got := img.Conflicting(large, small); !slices.Equal(got, []uuid.UUID{{1, 3}}) {
		t.Errorf("%v conflict", got)
	}
}
