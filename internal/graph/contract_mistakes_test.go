package graph

import (
	"strings"
	"testing"
)

// TestTheContractIsComparedStrictly makes sure that mistakes in answers would be found.
func TestTheContractIsComparedStrictly(t *testing.T) {
	t.Parallel()
	c := readContract(t)
	const id = "a0000000-0000-4000-8000-00000000000f"
	sku := `{"@odata.context":"H/v1.0/$metadata#users(assignedLicenses)/$entity","assignedLicenses":[{"skuId":"` + id + `","disabledPlans":[]}]}`
	problem := `{"error":{"code":"a","message":"b","innerError":{"date":"d","request-id":"e","client-request-id":"f"}}}`
	for _, m := range []struct {
		path, body string
		status     int
		old, new   string
		want       string
	}{
		{"/users/x?$select=assignedLicenses", sku, 200, "", "", ""},
		{"/users/x?$select=assignedLicenses", sku, 200, "users(assignedLicenses)", "users", "@odata.context"},
		{"/users/x?$select=assignedLicenses", sku, 200, "/$entity", "", "@odata.context"},
		{"/users/x?$select=assignedLicenses", sku, 200, "H/v1.0", "H/beta", "not under"},
		{"/users/x?$select=assignedLicenses", sku, 200, "#users", "#groups", "@odata.context"},
		{"/groups/x?$select=assignedLicenses", sku, 200, "", "", "@odata.context"},
		{"/users/x?$select=assignedLicenses", sku, 200, id, "E3", "no Edm.Guid"},
		{"/users/x?$select=assignedLicenses", sku, 200, id, strings.ToUpper(id), "no Edm.Guid"},
		{"/users/x?$select=assignedLicenses", sku, 200, `,"disabledPlans":[]`, "", "disabledPlans is missing"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"disabledPlans":[]`, `"disabledPlans":null`, "is null"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"disabledPlans":[]`, `"disabledPlans":[],"seats":1`, "no property"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"assignedLicenses":[`, `"shoeSize":43,"assignedLicenses":[`, "no property"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"assignedLicenses":[`, `"accountEnabled":"yes","assignedLicenses":[`, "no Edm.Boolean"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"assignedLicenses":[`, `"createdDateTime":"2026-01-31","assignedLicenses":[`, "no Edm.DateTimeOffset"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"assignedLicenses":[`, `"deviceEnrollmentLimit":5.5,"assignedLicenses":[`, "no Edm.Int32"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"assignedLicenses":[`, `"@odata.colour":"red","assignedLicenses":[`, "no annotation"},
		{"/users/x?$select=assignedLicenses", sku, 200, `"assignedLicenses":[`, `"memberOf":[],"assignedLicenses":[`, "no property"},
		{"/users/x?$select=assignedLicenses,city", strings.Replace(sku, "(assignedLicenses)", "(assignedLicenses,city)", 1), 200, "", "", "city is missing"},
		{"/groups/x/members?$select=id", `{"@odata.context":"H/v1.0/$metadata#directoryObjects(id)","value":[{"id":"x"}]}`, 200, "", "", "@odata.type is missing"},
		{"/groups/x/members?$select=id", `{"@odata.context":"H/v1.0/$metadata#directoryObjects(id)","value":[{"@odata.type":"#microsoft.graph.domain","id":"x"}]}`, 200, "", "", "want one of"},
		{"/groups/x/members?$select=id", `{"@odata.context":"H/v1.0/$metadata#directoryObjects(id)","value":[],"total":5}`, 200, "", "", "a list has total"},
		{"/users", `{"@odata.context":"H/v1.0/$metadata#users","value":[{"id":"x"}]}`, 200, "", "", "is missing"},
		{"/users/x/teapots", `{}`, 200, "", "", "no teapots"},
		{"/users/x", problem, 400, "", "", ""},
		{"/users/x", problem, 400, `"code":"a",`, "", "lacks"},
		{"/users/x", problem, 400, `"request-id":"e",`, "", "lacks"},
	} {
		got := answer{status: m.status, body: strings.Replace(m.body, m.old, m.new, 1)}
		err := checkAnswer(c, question{method: "GET", host: "H", path: "/v1.0" + m.path}, got, "")
		if m.want == "" && err != nil || m.want != "" && (err == nil || !strings.Contains(err.Error(), m.want)) {
			t.Errorf("%s %s: %v, want %q", m.path, got.body, err, m.want)
		}
	}
}
