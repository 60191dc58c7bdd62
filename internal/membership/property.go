package membership

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/directory/column"
	"licensor/internal/fold"
)

// Type is the type of a property in rules (D40).
type Type uint8

// The types. TypePlans is a collection of objects, TypeGroups that of memberOf. TypeUnknown is that
// of directory extensions.
const (
	TypeText Type = iota + 1
	TypeBool
	TypeTime
	TypeTexts
	TypePlans
	TypeGroups
	TypeUnknown
)

// Property is a property that rules can mention.
type Property struct {
	Name   string // as the documentation of rules spells it
	Graph  string // the property of Graph that has its value, as directory.UserSchema spells it
	Type   Type
	Column int // of that property in directory.UserSchema; -1 if it has none

	derived *derived // a text of a collection
}

// derived is a text that is one of a collection.
type derived struct {
	narrow column.Test                 // true of an element of every user with such a text
	of     func(texts []string) string // "" if there is none
}

// userProperties are the properties of users (D50).
var userProperties = userTable()

func userTable() fold.Names[*Property] {
	all := fold.Names[*Property]{}
	add := func(t Type, name, graph string) *Property {
		p := &Property{Name: name, Graph: graph, Type: t, Column: -1}
		if place, ok := directory.UserSchema().Column(graph); ok {
			p.Column = place
		}
		all.Add(name, p)
		return p
	}
	for t, names := range map[Type]string{
		TypeText: "city companyName country department displayName employeeId givenName jobTitle mail " +
			"onPremisesDistinguishedName onPremisesSecurityIdentifier passwordPolicies postalCode " +
			"preferredLanguage state streetAddress surname usageLocation userPrincipalName userType",
		TypeBool:   "accountEnabled",
		TypeTime:   "employeeHireDate",
		TypeTexts:  "otherMails proxyAddresses",
		TypePlans:  "assignedPlans",
		TypeGroups: "memberOf",
	} {
		for name := range strings.FieldsSeq(names) {
			add(t, name, name)
		}
	}
	add(TypeBool, "dirSyncEnabled", "onPremisesSyncEnabled")
	add(TypeText, "facsimileTelephoneNumber", "faxNumber")
	add(TypeText, "mailNickName", "mailNickname")
	add(TypeText, "mobile", "mobilePhone")
	add(TypeText, "objectId", "id")
	add(TypeText, "physicalDeliveryOfficeName", "officeLocation")
	for i := 1; i <= len(directory.ExtensionAttributes{}); i++ {
		name := "extensionAttribute" + strconv.Itoa(i)
		add(TypeText, name, "onPremisesExtensionAttributes/"+name)
	}
	add(TypeText, "sipProxyAddress", "proxyAddresses").derived = &derived{
		column.Test{Op: column.OpStarts, Text: sip}, sipAddress,
	}
	add(TypeText, "telephoneNumber", "businessPhones").derived = &derived{
		column.Test{Op: column.OpPresent}, firstOf,
	}
	return all
}

const sip = "sip:"

// sipAddress returns the first address of proxyAddresses with the scheme sip, without the scheme.
func sipAddress(texts []string) string {
	for _, text := range texts {
		if len(text) >= len(sip) && fold.Equal(text[:len(sip)], sip) {
			return text[len(sip):]
		}
	}
	return ""
}

func firstOf(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}

// deviceProperties are the properties of devices (D53). Rules about them are only checked.
var deviceProperties = deviceTable()

func deviceTable() fold.Names[*Property] {
	all := fold.Names[*Property]{}
	for t, names := range map[Type]string{
		TypeBool: "accountEnabled isRooted",
		TypeText: "deviceCategory deviceId deviceManagementAppId deviceManufacturer deviceModel displayName " +
			"deviceOSType deviceOSVersion deviceOwnership deviceTrustType enrollmentProfileName managementType " +
			"objectId profileType",
		TypeTexts:  "devicePhysicalIds systemLabels",
		TypeGroups: "memberOf",
	} {
		for name := range strings.FieldsSeq(names) {
			all.Add(name, &Property{Name: name, Type: t, Column: -1})
		}
	}
	for i := 1; i <= 15; i++ {
		name := "extensionAttribute" + strconv.Itoa(i)
		all.Add(name, &Property{Name: name, Type: TypeText, Column: -1})
	}
	return all
}

// extension matches the names of directory extensions (D52).
var extension = regexp.MustCompile(`^(?i:extension)_[0-9A-Fa-f]{32}_\w+$`)

// planFields are the properties of an element of assignedPlans, in the order of Plan.texts.
var planFields = []string{"servicePlanId", "service", "capabilityStatus"}

// class is a class of operators that suit the same types.
type class uint8

const (
	equality class = iota + 1
	listing
	parts
	matching
	ordering
	quantifying
)

// classes has the operators of each type (D40).
var classes = map[Type][]class{
	TypeText:    {equality, listing, parts, matching},
	TypeBool:    {equality},
	TypeTime:    {equality, ordering},
	TypeTexts:   {equality, listing, parts, matching, quantifying},
	TypePlans:   {quantifying},
	TypeUnknown: {equality, listing, parts, matching, ordering},
}

// operator is an operator of comparisons.
type operator struct {
	name     string
	class    class
	negative bool // the exact opposite of the operator before it (D42)
	op       column.Op
}

var operators = []operator{
	{"eq", equality, false, column.OpEqual},
	{"ne", equality, true, column.OpEqual},
	{"in", listing, false, column.OpIn},
	{"notIn", listing, true, column.OpIn},
	{"startsWith", parts, false, column.OpStarts},
	{"notStartsWith", parts, true, column.OpStarts},
	{"endsWith", parts, false, column.OpEnds},
	{"notEndsWith", parts, true, column.OpEnds},
	{"contains", parts, false, column.OpContains},
	{"notContains", parts, true, column.OpContains},
	{"match", matching, false, column.OpHolds},
	{"notMatch", matching, true, column.OpHolds},
	{"le", ordering, false, column.OpLessOrEqual},
	{"ge", ordering, false, column.OpGreaterOrEqual},
	{"any", quantifying, false, 0},
	{"all", quantifying, false, 0},
}

// operatorOf returns the operator that a token is.
func operatorOf(t *token) (*operator, bool) {
	i := slices.IndexFunc(operators, func(o operator) bool { return t.joins(o.name) })
	if i < 0 {
		return nil, false
	}
	return &operators[i], true
}

// supported lists the operators of a type, for a message.
func supported(t Type) string {
	if t == TypeGroups {
		return "-any"
	}
	var names []string
	for _, o := range operators {
		if slices.Contains(classes[t], o.class) {
			names = append(names, "-"+o.name)
		}
	}
	return strings.Join(names, ", ")
}
