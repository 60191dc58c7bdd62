package graph

import (
	"os"
	"testing"
)

// playDynamic plays a scenario about dynamic groups, which covers rules of
// docs/spec/dynamic-membership.md.
func playDynamic(t *testing.T, name string) {
	t.Helper()
	t.Parallel()
	text, err := os.ReadFile("testdata/scenarios/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	newScenario(t, newWorld(t), newWitnesses()).play(string(text))
}

func TestD4D6D7D11D12D13D27L39GroupsFollowTheirRules(t *testing.T) {
	playDynamic(t, "70-dynamic-groups")
}

func TestD9D14D22StaticAndDynamic(t *testing.T) { playDynamic(t, "70-dynamic-static") }

func TestD25D26ManagersSourcesAndTime(t *testing.T) { playDynamic(t, "71-dynamic-managers") }

func TestD24D28RulesThatFail(t *testing.T) { playDynamic(t, "72-dynamic-failures") }

func TestD2D5D79RefusedRules(t *testing.T) { playDynamic(t, "73-dynamic-refusals") }

func TestD80D81D82D83D84TryingRules(t *testing.T) { playDynamic(t, "75-dynamic-trying") }

func TestD15WhoMaySetARule(t *testing.T) { playDynamic(t, "74-dynamic-owners") }
