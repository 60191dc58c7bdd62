package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// database returns the files of the database.
func (k *killed) database() map[string]string {
	k.t.Helper()
	files := map[string]string{}
	for _, suffix := range []string{"", "-wal", "-ack", "-shm"} {
		if data, err := os.ReadFile(k.data + suffix); err == nil {
			files[suffix] = string(data)
		}
	}
	return files
}

// copyTo returns the program over a copy of the database.
func (k *killed) copyTo(name string) *killed {
	k.t.Helper()
	data := filepath.Join(k.t.TempDir(), name)
	for suffix, content := range k.database() {
		if err := os.WriteFile(data+suffix, []byte(content), 0o600); err != nil {
			k.t.Fatal(err)
		}
	}
	return &killed{
		t: k.t, program: k.program, data: data, where: []string{"--data", data}, client: k.client, login: k.login,
	}
}

// addGroups makes groups, one a request.
func (k *killed) addGroups(many int) {
	k.t.Helper()
	for range many {
		k.next++
		name := "group" + strconv.Itoa(k.next)
		k.must(201, "POST", "/v1.0/groups",
			`{"displayName":"`+name+`","mailEnabled":false,"mailNickname":"`+name+`","securityEnabled":true}`, nil)
	}
}

func (k *killed) kill() {
	k.t.Helper()
	if err := k.process.Process.Kill(); err != nil {
		k.t.Fatal(err)
	}
	_ = k.process.Wait() // the error says that it was killed
}

// wantRefused checks that no command opens the database, and that none changes it.
func (k *killed) wantRefused(saying string) {
	k.t.Helper()
	before := k.database()
	for _, args := range [][]string{
		{"keys", "list"},
		{"keys", "rotate"},
		{"serve", "--listen", "127.0.0.1:0"},
		{"serve", "--listen", "127.0.0.1:0", "--allow-data-loss"},
	} {
		out, err := exec.CommandContext(k.t.Context(), k.program, append(args, k.where...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), saying) {
			k.t.Errorf("%q ends with %v and says %s", args, err, out)
		}
	}
	if !maps.Equal(k.database(), before) {
		k.t.Error("the files were changed")
	}
}

// The log that was moved away to do without it does not return into a database that was used since.
func TestALogThatIsPutBackTooLateIsRefused(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program")
	}
	k := newKilled(t)
	k.addGroups(20)
	k.stop()
	k.start()
	k.addGroups(80)
	k.kill()
	if err := os.Rename(k.data+"-wal", k.data+".away"); err != nil {
		t.Fatal(err)
	}
	k.start("--allow-data-loss")
	k.addGroups(30)
	k.stop()
	if err := os.Rename(k.data+".away", k.data+"-wal"); err != nil {
		t.Fatal(err)
	}
	k.wantRefused("does not belong to it")
	if err := os.Remove(k.data + "-wal"); err != nil {
		t.Fatal(err)
	}
	k.start()
	k.stop()
}

// Two copies of a database that were both used do not take each other's logs.
func TestTheLogOfAnotherCopyIsRefused(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the real program")
	}
	prod := newKilled(t)
	prod.addGroups(20)
	prod.stop()
	stag := prod.copyTo("stag.db")
	stopped := prod.copyTo("stopped.db")
	for k, end := range map[*killed]func(){prod: prod.kill, stag: stag.kill, stopped: stopped.stop} {
		k.start()
		if k.addGroups(30); k == stag {
			k.addGroups(15)
		}
		end()
	}
	for _, k := range []*killed{prod, stopped} {
		for _, suffixes := range [][]string{{"-wal"}, {"-wal", "-ack"}} {
			mixed := k.copyTo("mixed.db")
			for _, suffix := range suffixes {
				if err := os.WriteFile(mixed.data+suffix, []byte(stag.database()[suffix]), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			mixed.wantRefused("does not belong to it")
		}
		k.start()
		k.stop()
	}
}
