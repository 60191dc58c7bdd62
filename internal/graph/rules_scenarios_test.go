package graph

import (
	"os"
	"testing"
)

// playRules plays a scenario that covers rules of docs/spec/dynamic-membership.md or
// docs/spec/audit.md.
func playRules(t *testing.T, name string) {
	t.Helper()
	t.Parallel()
	text, err := os.ReadFile("testdata/scenarios/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	newScenario(t, newWorld(t), newWitnesses()).play(string(text))
}

func TestD4D6D7D11D12D13D27L39GroupsFollowTheirRules(t *testing.T) {
	playRules(t, "70-dynamic-groups")
}

func TestD9D14D22StaticAndDynamic(t *testing.T) { playRules(t, "70-dynamic-static") }

func TestD25D26ManagersSourcesAndTime(t *testing.T) { playRules(t, "71-dynamic-managers") }

func TestD24D28RulesThatFail(t *testing.T) { playRules(t, "72-dynamic-failures") }

func TestD2D5D79RefusedRules(t *testing.T) { playRules(t, "73-dynamic-refusals") }

func TestD80D81D82D83D84TryingRules(t *testing.T) { playRules(t, "75-dynamic-trying") }

func TestD15WhoMaySetARule(t *testing.T) { playRules(t, "74-dynamic-owners") }

func TestU1U10U11U12U13U14U15U16U17U18U19U20U21U25EntriesOfUsers(t *testing.T) {
	playRules(t, "100-audit-users")
}

func TestU22U23U24U26U27EntriesOfGroupsAndLicenses(t *testing.T) { playRules(t, "101-audit-groups") }

func TestU2U3U4U5U7U8FilteringAndPages(t *testing.T) { playRules(t, "102-audit-filters") }

func TestU6U28DaysAndCollectors(t *testing.T) { playRules(t, "103-audit-days") }

func TestU17U22EntriesOfOtherObjects(t *testing.T) { playRules(t, "104-audit-others") }

func TestU22OtherActivities(t *testing.T) { playRules(t, "105-audit-activities") }

func TestU22RestOfTheActivities(t *testing.T) { playRules(t, "106-audit-rest") }

func TestU30U31U32U36SignIns(t *testing.T) { playRules(t, "107-sign-ins") }

func TestU35ImportedActivity(t *testing.T) { playRules(t, "108-imported-activity") }
func TestC12C13C14History(t *testing.T)    { playRules(t, "116-history") }
func TestC18C19Earlier(t *testing.T)       { playRules(t, "122-earlier") }

func TestC1C2C3C4C5C6C7C8C9C10C11Previews(t *testing.T) { playRules(t, "115-previews") }

func TestC15C16Undo(t *testing.T) { playRules(t, "120-undo") }

func TestC17Reprocessed(t *testing.T) { playRules(t, "121-reprocessed") }

func TestL76ProductsAndNumbers(t *testing.T) { playRules(t, "110-products") }

func TestL91Costs(t *testing.T) { playRules(t, "114-costs") }

func TestL92CostsOfThePast(t *testing.T) { playRules(t, "123-costs-history") }

func TestL90Prices(t *testing.T) { playRules(t, "113-prices") }

func TestL75L77L78ErrorsByFilter(t *testing.T) { playRules(t, "111-errors-filtered") }

func TestL79L80WhyAUserHasAPlan(t *testing.T) { playRules(t, "112-why") }

func TestL81L82L83L84Swaps(t *testing.T) { playRules(t, "117-swaps") }

func TestL85L86L87Drift(t *testing.T) { playRules(t, "118-drift") }

func TestL88Cleanups(t *testing.T) { playRules(t, "119-cleanups") }

func TestL85L88L91SuspendedProducts(t *testing.T) { playRules(t, "125-suspended-duplicates") }
