package embed

import (
	"encoding/json"
	"fmt"
	"io"
	"licensor/licensortest"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// missing is a third-party program: it returns the members of a group that lack its licenses, and
// retries while the service is busy.
func missing(client *http.Client, graph, group string) (names []string, err error) {
	for {
		response, err := client.Get(graph + "/groups/" + group + "/membersWithLicenseErrors?$select=displayName")
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		switch response.StatusCode {
		case http.StatusOK:
			var answer struct {
				Value []struct{ DisplayName string }
			}
			err := json.Unmarshal(text, &answer)
			for _, member := range answer.Value {
				names = append(names, member.DisplayName)
			}
			return names, err
		case http.StatusServiceUnavailable:
			continue
		}
		return nil, fmt.Errorf("%s: %s", response.Status, text)
	}
}

func TestAProgramFindsOutWhoLacksALicense(t *testing.T) {
	t.Parallel()
	srv := licensortest.New(t)
	sku := srv.Subscribe("ENTERPRISEPACK", 2)
	ann, bob, eve := srv.User("ann"), srv.User("bob", licensortest.Properties{"department": "Sales"}), srv.User("eve")
	sales := srv.Group("Sales", ann, bob, eve, srv.User("zoe"))
	srv.AsyncGroups(time.Hour)
	assign := fmt.Sprintf(`{"addLicenses":[{"skuId":%q}],"removeLicenses":[]}`, sku)
	response, err := srv.Client("LicenseAssignment.ReadWrite.All").Post(srv.URL+"/v1.0/groups/"+sales+"/assignLicense", "application/json", strings.NewReader(assign))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatal(response.Status)
	}

	reader := srv.Client("Group.Read.All", "User.Read.All")
	if names, err := missing(reader, srv.URL+"/v1.0", sales); err != nil || len(names) != 0 {
		t.Errorf("before anything was done: %v %v", names, err)
	}
	srv.Clock.Advance(time.Hour)
	srv.Faults.Add(licensortest.Fault{Path: "/groups/**", Status: 503, Times: 2})
	names, err := missing(reader, srv.URL+"/v1.0", sales)
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{"eve", "zoe"}) {
		t.Errorf("%v %v", names, err)
	}
	if n := srv.Faults.List()[0].Applied; n != 2 {
		t.Errorf("it has retried %d times", n)
	}
	if _, err := missing(srv.As(licensortest.Token{Expired: true}), srv.URL+"/v1.0", sales); err == nil {
		t.Error("an expired token is taken")
	}

	srv.Reset()
	if _, err := missing(reader, srv.URL+"/v1.0", sales); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("after the reset, the group of before is answered %v", err)
	}
}
