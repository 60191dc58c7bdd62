package licensortest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"licensor"
)

// operate calls an operation as the operator of the server, without a network.
func (s *Server) operate(method, path string, body, answer any) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return send(s.operator, method, licensor.OperatorURL+path, body, answer)
}

// send sends a request and reads the response. A status of 400 or more is an error with Graph's
// message.
func send(client *http.Client, method, address string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, address, content)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 400 {
		return problem(response.StatusCode, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

func problem(status int, body []byte) error {
	var answer struct{ Error struct{ Message string } }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Message == "" {
		return fmt.Errorf("%d %s", status, body)
	}
	return fmt.Errorf("%s (%d)", answer.Error.Message, status)
}
