package main

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// person is one generated user, the same for every contender.
type person struct {
	number         int
	id             string
	text           [len(textProperties)]string
	accountEnabled bool
	created        time.Time
	proxyAddresses []string
	groups         []int // ascending, without duplicates
}

// Indexes of person.text.
const (
	displayName = iota
	givenName
	surname
	userPrincipalName
	mail
	mailNickname
	jobTitle
	department
	city
	country
	companyName
	officeLocation
	state
	mobilePhone
	usageLocation
	employeeID
	userType
)

// textProperties are the names of those properties in Microsoft Graph.
var textProperties = [...]string{
	displayName: "displayName", givenName: "givenName", surname: "surname", userPrincipalName: "userPrincipalName", mail: "mail",
	mailNickname: "mailNickname", jobTitle: "jobTitle", department: "department", city: "city", country: "country", companyName: "companyName",
	officeLocation: "officeLocation", state: "state", mobilePhone: "mobilePhone", usageLocation: "usageLocation", employeeID: "employeeId",
	userType: "userType",
}

const (
	domain      = "bench.example" // of all userPrincipalNames
	aliasDomain = "alias.example" // of all second proxyAddresses
	groupCount  = 300
	samples     = 1000 // number of people that questions take values from
)

var firstDay = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const days = 2000 // over which the users were created

// product is a SKU of the built-in catalog. The group of the same number assigns it to its members.
type product struct{ partNumber, skuID string }

var products = []product{
	{"ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900"},
	{"EMS", "efccb6f7-5641-4e0e-bd10-b4976e1bf68e"},
}

// licenses returns the skuIds that a person holds.
func (p *person) licenses() []string {
	skus := []string{}
	for _, g := range p.groups {
		if g < len(products) {
			skus = append(skus, products[g].skuID)
		}
	}
	return skus
}

// population generates people from a seed. Values are skewed: a few departments, cities and groups
// are large and most are small.
type population struct {
	users       int
	seed        uint64
	vocabulary  [len(textProperties)][]string // most frequent first; nil for properties without one
	mailDomains []string
	givenNames  []string
	familyNames []string
	samples     []person
}

func newPopulation(users int, seed uint64) *population {
	p := &population{users: users, seed: seed}
	r := rand.New(rand.NewPCG(seed, 1))
	shuffled := func(values []string) []string {
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		return values
	}
	p.givenNames = shuffled(combine("", title(syllables), syllables[:24]))
	p.familyNames = shuffled(combine("", title(syllables), syllables, syllables[:22]))
	p.vocabulary[jobTitle] = shuffled(combine(" ", levels, fields, roles))
	p.vocabulary[department] = shuffled(combine(" ", fields, areas))
	p.vocabulary[city] = shuffled(combine("", title(syllables[:20]), syllables[5:15], []string{"ville", "burg", "ton", "stad", "mouth"}))
	p.vocabulary[country] = shuffled(strings.Split(countries, ","))
	p.vocabulary[companyName] = shuffled(combine(" ", title(syllables[:10]), []string{"Bank", "Energy", "Foods", "Motors", "Systems"}))
	p.vocabulary[officeLocation] = shuffled(numbered("Building %d, Floor %d", 200, 10))
	p.vocabulary[state] = shuffled(combine(" ", title(syllables[10:25]), []string{"East", "North", "South", "West"}))
	p.vocabulary[usageLocation] = shuffled(strings.Fields(locations))
	p.vocabulary[userType] = []string{"Member", "Guest"}
	p.mailDomains = []string{"mail.example", "post.example", "north.example", "south.example", "lab.example"}
	every := max(1, users/samples)
	for person := range p.people() {
		if person.number%every == every/2 && len(p.samples) < samples {
			person.groups = slices.Clone(person.groups)
			p.samples = append(p.samples, person)
		}
	}
	return p
}

// people returns all people in the order in which they are loaded.
func (p *population) people() iter.Seq[person] {
	return func(yield func(person) bool) {
		r := rand.New(rand.NewPCG(p.seed, 2))
		var skewed [len(textProperties)]*rand.Zipf
		for i, values := range p.vocabulary {
			if values != nil {
				skewed[i] = rand.NewZipf(r, 1.2, 8, uint64(len(values)-1))
			}
		}
		given := rand.NewZipf(r, 1.1, 100, uint64(len(p.givenNames)-1))
		family := rand.NewZipf(r, 1.1, 1000, uint64(len(p.familyNames)-1))
		group := rand.NewZipf(r, 1.1, 3, groupCount-1)
		for i := range p.users {
			one := person{number: i, id: personID(i)}
			for property, zipf := range skewed {
				if zipf != nil {
					one.text[property] = p.vocabulary[property][zipf.Uint64()]
				}
			}
			one.text[givenName], one.text[surname] = p.givenNames[given.Uint64()], p.familyNames[family.Uint64()]
			p.complete(&one, r)
			for range 1 + r.IntN(3) {
				one.groups = append(one.groups, int(group.Uint64()))
			}
			slices.Sort(one.groups)
			one.groups = slices.Compact(one.groups)
			if !yield(one) {
				return
			}
		}
	}
}

// complete sets the properties that depend on a person's name and number, and those without skew.
func (p *population) complete(one *person, r *rand.Rand) {
	first, last := one.text[givenName], one.text[surname]
	one.text[displayName] = first + " " + last
	if r.IntN(4) == 0 {
		one.text[displayName] = fmt.Sprintf("%s %c. %s", first, 'A'+rune(r.IntN(26)), last)
	}
	local := strings.ToLower(first+"."+last) + fmt.Sprint(one.number)
	one.text[userPrincipalName] = local + "@" + domain
	one.text[mail] = local + "@" + p.mailDomains[r.IntN(len(p.mailDomains))]
	one.text[mailNickname] = local
	one.text[mobilePhone] = fmt.Sprintf("+49 151 %08d", one.number)
	one.text[employeeID] = fmt.Sprintf("E%08d", one.number)
	one.text[userType] = p.vocabulary[userType][min(1, r.IntN(10)/9)]
	one.accountEnabled = r.IntN(20) != 0
	one.created = firstDay.Add(time.Duration(r.IntN(days*24*3600)) * time.Second)
	one.proxyAddresses = []string{"SMTP:" + one.text[mail], "smtp:" + local + "@" + aliasDomain}
}

func personID(n int) string  { return madeID('u', n) }
func groupID(n int) string   { return madeID('g', n) }
func groupName(n int) string { return fmt.Sprintf("Group %03d", n) }

// madeID returns a UUID in the form of version 4. IDs are spread over all first bytes.
func madeID(kind byte, n int) string {
	v := uuid.UUID{4: kind, 6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(v[:4], uint32(n)*2654435761)
	binary.BigEndian.PutUint32(v[12:], uint32(n))
	return v.String()
}

// combine returns all combinations of the parts.
func combine(separator string, parts ...[]string) []string {
	all := parts[0]
	for _, part := range parts[1:] {
		var longer []string
		for _, before := range all {
			for _, after := range part {
				longer = append(longer, before+separator+after)
			}
		}
		all = longer
	}
	return slices.Clone(all)
}

func numbered(format string, buildings, floors int) (all []string) {
	for b := range buildings {
		for f := range floors {
			all = append(all, fmt.Sprintf(format, b+1, f+1))
		}
	}
	return all
}

func title(values []string) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = strings.ToUpper(v[:1]) + v[1:]
	}
	return all
}

var (
	syllables = strings.Fields("ba bel cor da den el fa fin ga gor ha hil ka kel la lin ma mon na nor pa per ra ris " +
		"sa sol ta tor va ver")
	levels = strings.Fields("Junior Senior Lead Principal Deputy")
	roles  = strings.Fields("Analyst Engineer Manager Planner Specialist")
	fields = strings.Fields("Account Audit Brand Cloud Data Design Energy Facility Finance Fleet Health Legal " +
		"Logistics Network People " +
		"Process Product Quality Sales Security")
	areas = strings.Fields("Asia Central Americas Europe Global Lab North Partners South Support")
)

const locations = "AE AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IT JP KE " +
	"KR LT LU LV MA MX MY NG NL NO NZ " +
	"PE PH PL PT RO RS SA SE SG SI SK TH TR UA US VN ZA"

const countries = "Albania,Algeria,Angola,Argentina,Armenia,Australia,Austria,Azerbaijan,Bahrain,Bangladesh,Belgium,Bolivia,Bosnia,Botswana," +
	"Brazil,Bulgaria,Cambodia,Cameroon,Canada,Chile,China,Colombia,Croatia,Cyprus,Czechia,Denmark,Ecuador,Egypt,Estonia,Ethiopia,Fiji,Finland," +
	"France,Gabon,Georgia,Germany,Ghana,Greece,Guatemala,Honduras,Hungary,Iceland,India,Indonesia,Ireland,Israel,Italy,Jamaica,Japan,Jordan," +
	"Kazakhstan,Kenya,Kuwait,Laos,Latvia,Lebanon,Lithuania,Luxembourg,Malaysia,Malta,Mauritius,Mexico,Moldova,Mongolia,Montenegro,Morocco," +
	"Mozambique,Namibia,Nepal,Netherlands," +
	"New Zealand,Nicaragua,Nigeria,Norway,Oman,Pakistan,Panama,Paraguay,Peru,Philippines,Poland,Portugal," +
	"Qatar,Romania,Rwanda,Senegal,Serbia,Singapore,Slovakia,Slovenia,South Africa," +
	"South Korea,Spain,Sweden,Switzerland,Thailand,Tunisia,Turkey," +
	"Uganda,Uruguay,Vietnam,Zambia"
