package graph

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// TestAPreviewIsAppliedOnce by requests that apply it at the same time.
func TestAPreviewIsAppliedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.appToken("Directory.ReadWrite.All")
	for range 10 {
		made := w.send(http.MethodPost, "/licensor/v1/previews", token, `{"requests":[{"id":"1","method":"POST","url":"/groups",`+
			`"body":{"displayName":"Once","mailEnabled":false,"mailNickname":"once","securityEnabled":true}}]}`)
		var preview struct{ ID string }
		if err := json.Unmarshal([]byte(made.body), &preview); err != nil || preview.ID == "" {
			t.Fatalf("%d %s", made.status, made.body)
		}
		before := w.commits()
		var wait sync.WaitGroup
		statuses := make([]int, 8)
		for i := range statuses {
			wait.Go(func() {
				statuses[i] = w.send(http.MethodPost, "/licensor/v1/previews/"+preview.ID+"/apply", token, "").status
			})
		}
		wait.Wait()
		applied := 0
		for _, status := range statuses {
			switch status {
			case http.StatusOK:
				applied++
			case http.StatusConflict, http.StatusNotFound:
			default:
				t.Errorf("a request is answered %d", status)
			}
		}
		if applied != 1 || w.commits() != before+1 {
			t.Fatalf("%d of 8 requests have applied the preview, in %d commits", applied, w.commits()-before)
		}
	}
}

// TestMeInAChangeSet is the user who tries it, and no application.
func TestMeInAChangeSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := idOf('a', "ann")
	w.imports(`{"user":{"id":"` + id + `","userPrincipalName":"ann@contoso.example","displayName":"Ann","mailNickname":"ann","accountEnabled":true}}`)
	const body = `{"requests":[{"id":"1","method":"PATCH","url":"/me","body":{"jobTitle":"Tester"}}]}`
	var preview struct {
		Responses []struct{ Status int }
	}
	for token, want := range map[string]int{
		w.appToken("Directory.ReadWrite.All"):                                            http.StatusBadRequest,
		w.userToken(uuid.MustParse(id), []string{"Directory.ReadWrite.All"}, nil, false): http.StatusNoContent,
	} {
		got := w.send(http.MethodPost, "/licensor/v1/previews", token, body)
		if err := json.Unmarshal([]byte(got.body), &preview); err != nil || len(preview.Responses) != 1 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if status := preview.Responses[0].Status; status != want {
			t.Errorf("the request would answer %d, want %d", status, want)
		}
	}
}
