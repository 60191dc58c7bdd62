package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
)

// question is one kind of request in the language of each contender. Request i asks the same of all
// contenders.
type question struct {
	name   string // in the figures
	title  string // in the report
	values int    // number of different requests
	count  bool   // also ask for the total
	order  string // property to order by; number if empty
	top    int
	counts bool // ask only with $count=true, which Microsoft Graph requires here
	same   bool // all requests are the same: change a user before each one
	// fields are the selected properties; defaultFields if nil.
	fields []string

	graph  func(i int) string   // the $filter of Microsoft Graph
	search func(i int) string   // the $search of Microsoft Graph, in place of graph
	where  string               // of SQL
	args   func(i int) []string // of where
	pocket func(i int) string   // the filter of PocketBase
}

// defaultFields are the properties that Microsoft Graph returns by default and that the population
// has.
var defaultFields = []string{"id", "displayName", "givenName", "surname", "userPrincipalName", "mail", "jobTitle", "officeLocation", "mobilePhone"}

func (q *question) selected() []string {
	if q.fields != nil {
		return q.fields
	}
	return defaultFields
}

// graphPath returns the request for licensor.
func (q *question) graphPath(i int) string {
	options := []string{fmt.Sprint("$top=", q.top)}
	if q.search != nil {
		options = append(options, "$search="+url.PathEscape(q.search(i)))
	} else {
		options = append(options, "$filter="+strings.ReplaceAll(url.PathEscape(q.graph(i)), "+", "%2B"))
	}
	if q.count {
		options = append(options, "$count=true")
	}
	if q.order != "" {
		options = append(options, "$orderby="+q.order)
	}
	if q.fields != nil {
		options = append(options, "$select="+strings.Join(q.fields, ","))
	}
	return "/v1.0/users?" + strings.Join(options, "&")
}

// postgresPath returns the request for the handler over PostgreSQL, which finds the statement by
// name.
func (q *question) postgresPath(i int) string {
	return "/" + q.name + "?" + url.Values{"a": q.args(i)}.Encode()
}

// pocketPath returns the request for PocketBase.
func (q *question) pocketPath(i int) string {
	options := url.Values{"filter": {q.pocket(i)}, "perPage": {fmt.Sprint(q.top)}, "sort": {"@rowid"}, "fields": {strings.Join(q.selected(), ",")}}
	if q.order != "" {
		options.Set("sort", q.order+",@rowid")
	}
	if !q.count {
		options.Set("skipTotal", "1")
	}
	return pocketRecords + "?" + options.Encode()
}

// statements returns the SQL for the page and for the total.
func (q *question) statements() (page, total string) {
	order := "number"
	if q.order != "" {
		order = "lower(" + q.order + "), number"
	}
	page = fmt.Sprintf("SELECT %s FROM people WHERE %s ORDER BY %s LIMIT %d",
		strings.Join(q.selected(), ", "), q.where, order, q.top)
	return page, "SELECT count(*) FROM people WHERE " + q.where
}

// questions returns all questions with conditions, in the order of the report.
func (p *population) questions() []*question {
	r := rand.New(rand.NewPCG(p.seed, 3))
	of := func(property int) []string { return shuffle(r, p.vocabulary[property]) }
	var all []*question
	add := func(q question) {
		q.top = 100
		if plain := q; !q.counts {
			all = append(all, &plain)
		}
		q.count = true
		q.name += "-count"
		q.title += ", `$count`"
		all = append(all, &q)
	}
	add(equal("department", of(department)))
	add(equal("jobTitle", of(jobTitle)))
	company := equal("companyName", of(companyName))
	company.counts = true
	add(company)
	add(starting("city", beginnings(of(city))))
	add(p.disabled())
	add(p.until(r))
	add(p.address())
	all = append(all, p.tenClauses(of))
	add(ending("mail", p.mailEndings(r)))
	add(ending("userPrincipalName", p.nameEndings(r)))
	add(p.twoWords())
	all = append(all, p.mix(of))
	return all
}

func shuffle(r *rand.Rand, values []string) []string {
	values = slices.Clone(values)
	r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	return values
}

// beginnings returns different prefixes of values, of four to six letters.
func beginnings(values []string) (all []string) {
	seen := map[string]bool{}
	for i, v := range values {
		if start := v[:min(len(v), 4+i%3)]; !seen[start] {
			seen[start] = true
			all = append(all, start)
		}
	}
	return all
}

func equal(property string, values []string) question {
	return question{
		name: property + "-eq", title: "`" + property + " eq`", values: len(values),
		graph:  func(i int) string { return fmt.Sprintf("%s eq '%s'", property, values[i]) },
		where:  "lower(" + property + ") = $1",
		args:   func(i int) []string { return []string{strings.ToLower(values[i])} },
		pocket: func(i int) string { return fmt.Sprintf("%s = '%s'", property, values[i]) },
	}
}

func starting(property string, values []string) question {
	return question{
		name: property + "-starts", title: "`startsWith(" + property + ")`", values: len(values),
		graph:  func(i int) string { return fmt.Sprintf("startsWith(%s,'%s')", property, values[i]) },
		where:  "lower(" + property + ") LIKE $1",
		args:   func(i int) []string { return []string{strings.ToLower(values[i]) + "%"} },
		pocket: func(i int) string { return fmt.Sprintf("%s ~ '%s%%'", property, values[i]) },
	}
}

func ending(property string, values []string) question {
	return question{
		name: property + "-ends", title: "`endsWith(" + property + ")`", values: len(values), counts: true,
		graph:  func(i int) string { return fmt.Sprintf("endsWith(%s,'%s')", property, values[i]) },
		where:  "lower(" + property + ") LIKE $1",
		args:   func(i int) []string { return []string{"%" + values[i]} },
		pocket: func(i int) string { return fmt.Sprintf("%s ~ '%%%s'", property, values[i]) },
	}
}

func (p *population) disabled() question {
	return question{
		name: "accountEnabled-eq", title: "`accountEnabled eq false`", values: samples, same: true,
		graph:  func(int) string { return "accountEnabled eq false" },
		where:  "accountEnabled = $1::text::boolean",
		args:   func(int) []string { return []string{"false"} },
		pocket: func(int) string { return "accountEnabled = false" },
	}
}

// until asks for the users created before some time, which are up to half of all. It does not ask
// for those created since, because licensor also has an administrator, who was created last.
func (p *population) until(r *rand.Rand) question {
	times := make([]string, samples)
	for i := range times {
		times[i] = firstDay.AddDate(0, 0, r.IntN(days/2)).Format("2006-01-02T") +
			fmt.Sprintf("%02d:%02d:%02dZ", r.IntN(24), r.IntN(60), r.IntN(60))
	}
	return question{
		name: "createdDateTime-le", title: "`createdDateTime le`", values: len(times),
		graph:  func(i int) string { return "createdDateTime le " + times[i] },
		where:  "createdDateTime <= $1::text::timestamptz",
		args:   func(i int) []string { return []string{times[i]} },
		pocket: func(i int) string { return "createdDateTime <= '" + strings.Replace(times[i], "T", " ", 1) + "'" },
	}
}

func (p *population) address() question {
	address := func(i int) string { return p.samples[i].proxyAddresses[1] }
	return question{
		name: "proxyAddresses-any", title: "`proxyAddresses/any(p:p eq)`", values: len(p.samples),
		graph:  func(i int) string { return fmt.Sprintf("proxyAddresses/any(p:p eq '%s')", address(i)) },
		where:  "proxyAddressesLower @> ARRAY[$1::text]",
		args:   func(i int) []string { return []string{strings.ToLower(address(i))} },
		pocket: func(i int) string { return fmt.Sprintf("proxyAddresses ~ '\"%s\"'", address(i)) },
	}
}

// tenClauses combines properties, licenses and memberships.
func (p *population) tenClauses(of func(int) []string) *question {
	departments, titles, cities, lands := of(department), of(jobTitle), beginnings(of(city)), of(country)
	at := func(list []string, i int) string { return list[i%len(list)] }
	group := func(i int) string { return groupID(2 + i%30) }
	const graph = "(department eq '%s' or startsWith(jobTitle,'%s') or startsWith(city,'%s')) and accountEnabled " +
		"eq true and not(country eq '%s') and (userType eq 'Member' or companyName eq '%s') and usageLocation ne " +
		"'%s' and assignedLicenses/any(l:l/skuId eq %s) and memberOf/any(g:g/id eq '%s')"
	const pocket = "(department = '%s' || jobTitle ~ '%s%%' || city ~ '%s%%') && accountEnabled = true && country " +
		"!= '%s' && (userType = 'Member' || companyName = '%s') && usageLocation != '%s' && licenses ~ '%s' && " +
		"groups ~ '%s'"
	values := func(i int) []string {
		title, _, _ := strings.Cut(at(titles, i), " ")
		return []string{
			at(departments, i), title, at(cities, i), at(lands, i),
			p.vocabulary[companyName][i%50], p.vocabulary[usageLocation][i%60],
			products[i%len(products)].skuID, group(i),
		}
	}
	fill := func(format string, i int) string {
		args := make([]any, 0, 8)
		for _, v := range values(i) {
			args = append(args, v)
		}
		return fmt.Sprintf(format, args...)
	}
	return &question{
		name: "ten-clauses-count", title: "ten clauses of all kinds, `$count`", values: samples, count: true, top: 100,
		graph: func(i int) string { return fill(graph, i) },
		where: "(lower(department) = $1 OR lower(jobTitle) LIKE $2 OR lower(city) LIKE $3) AND accountEnabled AND " +
			"lower(country) <> $4 AND (lower(userType) = 'member' OR lower(companyName) = $5) AND " +
			"lower(usageLocation) <> $6 AND EXISTS (SELECT FROM licenses WHERE person = number AND sku = " +
			"$7::text::uuid) AND EXISTS (SELECT FROM memberships WHERE person = number AND team = $8::text::uuid)",
		args: func(i int) []string {
			args := values(i)
			for n := range args[:6] {
				args[n] = strings.ToLower(args[n])
			}
			args[1], args[2] = args[1]+"%", args[2]+"%"
			return args
		},
		pocket: func(i int) string { return fill(pocket, i) },
	}
}

// mailEndings returns suffixes of mail: two digits and a domain.
func (p *population) mailEndings(r *rand.Rand) []string {
	return shuffle(r, combine("", digits, digits, prefixed("@", p.mailDomains)))
}

// nameEndings returns suffixes of userPrincipalName: three digits and the domain.
func (p *population) nameEndings(r *rand.Rand) []string {
	return shuffle(r, combine("", digits, digits, digits, []string{"@" + domain}))
}

var digits = strings.Split("0123456789", "")

func prefixed(prefix string, values []string) (all []string) {
	for _, v := range values {
		all = append(all, prefix+v)
	}
	return all
}

// twoWords searches for prefixes of two words of displayName.
func (p *population) twoWords() question {
	words := func(i int) (string, string) {
		one := p.samples[i].text
		return strings.ToLower(one[givenName][:4]), strings.ToLower(one[surname][:3])
	}
	return question{
		name: "search", title: "`$search` of two words", values: len(p.samples),
		search: func(i int) string {
			first, last := words(i)
			return fmt.Sprintf(`"displayName:%s" AND "displayName:%s"`, first, last)
		},
		where: "to_tsvector('simple', displayName) @@ to_tsquery('simple', $1)",
		args: func(i int) []string {
			first, last := words(i)
			return []string{first + ":* & " + last + ":*"}
		},
		pocket: func(i int) string {
			first, last := words(i)
			const either = "(displayName ~ '%[1]s%%' || displayName ~ '%% %[1]s%%')"
			return fmt.Sprintf(either, first) + " && " + fmt.Sprintf(either, last)
		},
	}
}

// mix asks for some users, ordered by displayName.
func (p *population) mix(of func(int) []string) *question {
	departments, titles := of(department), of(jobTitle)
	values := func(i int) (string, string) { return departments[i%len(departments)], titles[i%len(titles)] }
	return &question{
		name: "orderby-count", title: "a mix, `$orderby=displayName`, `$count`", values: samples, count: true, order: "displayName", top: 100,
		graph: func(i int) string {
			d, t := values(i)
			return fmt.Sprintf("(department eq '%s' or jobTitle eq '%s') and accountEnabled eq true", d, t)
		},
		where: "(lower(department) = $1 OR lower(jobTitle) = $2) AND accountEnabled",
		args: func(i int) []string {
			d, t := values(i)
			return []string{strings.ToLower(d), strings.ToLower(t)}
		},
		pocket: func(i int) string {
			d, t := values(i)
			return fmt.Sprintf("(department = '%s' || jobTitle = '%s') && accountEnabled = true", d, t)
		},
	}
}
