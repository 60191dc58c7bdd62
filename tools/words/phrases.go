package main

import "regexp"

// phrase is a phrase that is refused, and what to write instead.
type phrase struct {
	pattern *regexp.Regexp
	except  *regexp.Regexp // matches that are allowed; may be nil
	instead string
}

// p returns a phrase whose pattern matches whole words in any letter case.
func p(pattern, instead string) phrase {
	return phrase{pattern: regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`), instead: instead}
}

// but excepts matches from a phrase.
func (p phrase) but(except string) phrase {
	p.except = regexp.MustCompile(except)
	return p
}

// phrases are all phrases. A phrase with but has a pattern that is wide enough to include the words
// by which an allowed match is recognized.
var phrases = []phrase{
	// People
	p(`nobody`, `"no one", or the subject: "no user", "no caller"`).but(`^NoBody$`),
	p(`somebody`, `"someone", or the subject: "a user", "an attacker"`),
	p(`anybody`, `"anyone"`),
	p(`everybody( returns)?`, `"all users", "everyone"`).but(` returns$`), // a method
	p(`whoever`, `"anyone who", "callers that"`),
	p(`(^|[.;:] )who (has|can|is|asks|knows|owns|may|comes|waits|reads|writes)`, `"users who", "callers that"`),
	p(`of whom`, `a sentence with a subject: "all of them", "have 3"`),
	p(`show[sn]? who (it|they|he) (is|are)`, `"authenticate"`),
	p(`in (the|a|its|their|\w+'s|another's|the \w+'s|a \w+'s|an \w+'s) names?( of)?`, `"on behalf of"`).
		but(`^[Ii]n (the|a|its|their) names?$|^[Ii]n (the|a) \w+'s names?$|` +
			`^[Ii]n \w+'s names?$|^[Ii]n (the|a) name of`),

	// States
	p(`(is|are|was|were) to be`, `"must be", "should be", "will be"`),
	p(`there (is|are) to`, `"to"`),
	p(`any more`, `"no longer", "any longer"`),
	p(`(no|any|some)thing of the kind|of the kind (that|which)`, `"similar", "such"`),
	p(`(is|are|was|were) gone`, `"was deleted", "was removed", "no longer exists"`),
	p(`gone for good|for good`, `"permanently"`),
	p(`(come|comes|came) of`, `"results from", "the result of"`),
	p(`came (and|or|,) went|came, went`, `"was added", "was removed"`),
	p(`under way`, `"in progress"`),
	p(`(go|goes|going|went) on`, `"continue"`),
	p(`(there )?(is|are|was|were) no( longer| more| less| one| other)?`, `"is not a", "does not exist"`).
		but(`^[Tt]here|(longer|more|less|one|other)$`),
	p(`(there )?(is|are|was|were) none`, `"is not one", "does not exist"`).but(`^[Tt]here|None$`),
	p(`of no use`, `"invalid", "no longer valid"`),
	p(`for ever`, `"forever"`),

	// Actions
	p(`looked at`, `"checked", "read", "processed"`),
	p(`put right`, `"fixed"`),
	p(`passed over`, `"skipped"`),
	p(`anew`, `"again"`),
	p(`says? whether`, `"reports whether"`),
	p(`answers (whether|why|who|what|how|where)`, `"returns", "reports"`),
	p(`(tell|tells|told) [^.;]{0,30}apart`, `"distinguish"`),
	p(`knows? no`, `"does not have", "is independent of"`),
	p(`do(es)? no harm`, `"harmless"`),
	p(`(is|are) made up`, `"generated"`),
	p(`taken for granted`, `"assumed", "not validated"`),

	// Other words
	p(`in vain`, `"without success"`),
	p(`now and then`, `"from time to time"`),
	p(`for want of`, `"because there is no"`),
	p(`for the sake of`, `"for"`),
	p(`beside`, `"next to", "in addition to", "with"`),
	p(`stands? (there|beside|before|behind|at|on|twice|between|over|together)`, `"is", "duplicate"`),
	p(`in whatever`, `"in any"`),
	p(`the least that`, `"minimum"`),
	p(`of which there (is|are)`, `a sentence with a subject: "there are few"`),
	p(`till`, `"until"`),
	p(`catalogues?`, `"catalog"`),
	p(`foresaw|foreseen`, `"unexpected"`),
}
