package graph

import (
	"net/http"
	"testing"
	"time"

	"licensor/internal/graph/throttle"

	"github.com/google/uuid"
)

// Anyone with a user's token cannot find out the password with it, and the owner can still sign in
// meanwhile.
func TestGuessesAtTheCurrentPasswordAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dora := w.create("/v1.0/users", `{"accountEnabled":true,"displayName":"Dora","mailNickname":"dora","userPrincipalName":"dora@contoso.example",`+
		`"passwordProfile":{"password":"Tulip-5-tree!","forceChangePasswordNextSignIn":false}}`)
	token := w.userToken(uuid.MustParse(dora), []string{"User-PasswordProfile.ReadWrite.All"}, nil, false)
	try := func(current, next string) answer {
		return w.do(http.MethodPost, "/v1.0/me/changePassword", token, `{"currentPassword":"`+current+`","newPassword":"`+next+`"}`)
	}
	for i := range throttle.GuessesPerHour {
		if got := try("wrong", "Lilac-7-bush?"); got.status != http.StatusBadRequest {
			t.Fatalf("guess %d: %d %s", i, got.status, got.body)
		}
	}
	if got := try("Tulip-5-tree!", "Lilac-7-bush?"); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "180" {
		t.Errorf("one more: %d %s, again after %q s", got.status, got.body, got.header.Get("Retry-After"))
	}
	w.moved.Set(w.now().Add(time.Hour))
	for range 2 * throttle.GuessesPerHour { // what is right does not count
		if got := try("Tulip-5-tree!", "Tulip-5-tree!"); got.status != http.StatusBadRequest {
			t.Fatalf("an hour later: %d %s", got.status, got.body)
		}
	}
}
