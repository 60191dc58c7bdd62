package devkit

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/duration"
	"licensor/internal/graph/problem"
	"licensor/internal/graph/wire"
	"licensor/internal/jsontext"
)

// getFaults answers GET /licensor/v1/development/faults: each rule, with the number of requests
// that it has applied to.
func (d *Kit) getFaults(r *wire.Request) error {
	if err := r.Allow(); err != nil {
		return err
	}
	return sendFaults(r, &d.faults)
}

func sendFaults(r *wire.Request, fs *faults) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	b := r.AppendHead(r.Begin(), "development/faults")
	b = strconv.AppendUint(jsontext.AppendName(b, "seed"), fs.seed, 10)
	b = jsontext.AppendList(jsontext.AppendName(b, "rules"), fs.rules, appendFault)
	return r.Send(http.StatusOK, append(b, '}'))
}

func appendFault(b []byte, f faultRule) []byte {
	b = append(b, '{')
	if f.Method != "" {
		b = jsontext.AppendText(jsontext.AppendName(b, "method"), f.Method)
	}
	b = jsontext.AppendText(jsontext.AppendName(b, "path"), f.Path)
	for _, number := range []struct {
		name  string
		value int
	}{{"status", f.Status}, {"retryAfter", f.RetryAfter}, {"times", f.Times}} {
		if number.value != 0 {
			b = strconv.AppendInt(jsontext.AppendName(b, number.name), int64(number.value), 10)
		}
	}
	if f.Latency != 0 {
		b = jsontext.AppendText(jsontext.AppendName(b, "latency"), duration.Text(f.Latency))
	}
	if f.Probability != 0 {
		b = strconv.AppendFloat(jsontext.AppendName(b, "probability"), f.Probability, 'g', -1, 64)
	}
	b = strconv.AppendInt(jsontext.AppendName(b, "applied"), int64(f.applied), 10)
	return append(b, '}')
}

// MaxFaults limits the number of rules that each request is compared with.
const MaxFaults = 100

// setFaults answers PUT /licensor/v1/development/faults: the rules of the body replace the existing
// ones.
func (d *Kit) setFaults(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	seed := uint64(1)
	var list []json.RawMessage
	if err := wire.Read("faults", members, map[string]any{"seed": &seed, "rules": &list}, "rules"); err != nil {
		return err
	}
	if len(list) > MaxFaults {
		return tooManyFaults(len(list))
	}
	rules := make([]Fault, len(list))
	for i, raw := range list {
		if rules[i], err = readFault(raw); err != nil {
			return err
		}
		if err := rules[i].Check(); err != nil {
			return problem.Refuse("Rule %d is invalid: %s.", i+1, err)
		}
	}
	fs := &d.faults
	fs.mu.Lock()
	fs.reset(seed)
	for _, f := range rules {
		fs.add(f)
	}
	fs.mu.Unlock()
	return sendFaults(r, fs)
}

// addFault answers POST /licensor/v1/development/faults: it adds a rule after the existing ones,
// which keep their counts.
func (d *Kit) addFault(r *wire.Request) error {
	members, err := r.Members()
	if err != nil {
		return err
	}
	f, err := readFaultMembers(members)
	if err != nil {
		return err
	}
	if err := f.Check(); err != nil {
		return problem.Refuse("The rule is invalid: %s.", err)
	}
	fs := &d.faults
	if n := fs.append(f); n > MaxFaults {
		return tooManyFaults(n)
	}
	return sendFaults(r, fs)
}

// append adds a fault unless there would be too many, and returns the resulting number.
func (fs *faults) append(f Fault) int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := len(fs.rules) + 1
	if n <= MaxFaults {
		fs.add(f)
	}
	return n
}

func tooManyFaults(n int) error {
	return problem.Refuse("There are %d rules; at most %d are possible.", n, MaxFaults)
}

func readFault(raw json.RawMessage) (f Fault, err error) {
	members, err := directory.Members(raw)
	if err != nil {
		return f, err
	}
	return readFaultMembers(members)
}

func readFaultMembers(members []directory.Member) (f Fault, err error) {
	var latency string
	probability := -1.0
	err = wire.Read("fault", members, map[string]any{
		"method": &f.Method, "path": &f.Path, "status": &f.Status, "retryAfter": &f.RetryAfter, "latency": &latency, "times": &f.Times, "probability": &probability,
	}, "path")
	if err != nil {
		return f, err
	}
	f.Method = strings.ToUpper(f.Method)
	if latency != "" {
		if f.Latency, err = duration.Parse(latency); err != nil {
			return f, problem.Refuse("The latency is invalid: %s.", err)
		}
	}
	if probability == 0 {
		return f,
			problem.Refuse("A probability is above 0 and at most 1. Leave out a rule that is never to be applied.")
	}
	f.Probability = max(probability, 0)
	return f, nil
}

// deleteFaults answers DELETE /licensor/v1/development/faults.
func (d *Kit) deleteFaults(r *wire.Request) error {
	fs := &d.faults
	fs.mu.Lock()
	fs.reset(1)
	fs.mu.Unlock()
	return r.SendNothing()
}
