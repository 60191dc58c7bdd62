package audit

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"licensor/internal/directory"
	"licensor/internal/jsontext"
	"licensor/internal/tenant"
)

// single returns a value that is a single thing of the entry (U16): "\"Finance\"".
func single(text string) string { return string(jsontext.AppendText(nil, text)) }

// listed returns texts as the value of a property of an object: ["Sales"].
func listed(texts ...string) string {
	return string(jsontext.AppendList(nil, texts, jsontext.AppendText))
}

// valueOf returns the JSON of a property as the value of a property of an object: a list.
func valueOf(raw []byte) string {
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return "[]"
	case raw[0] == '[':
		return string(raw)
	}
	return "[" + string(raw) + "]"
}

// formerNames are the names of properties in the directory that Graph calls otherwise (U25).
var formerNames = map[string]string{
	"businessPhones": "TelephoneNumber", "mobilePhone": "Mobile", "officeLocation": "PhysicalDeliveryOfficeName",
	"faxNumber": "FacsimileTelephoneNumber", "otherMails": "OtherMail", "employeeId": "EmployeeId",
	"groupTypes": "GroupType", "signInSessionsValidFromDateTime": "StsRefreshTokensValidFrom",
}

// formerName returns the directory's name of a property: Graph's with a capital first letter,
// unless it has another.
func formerName(name string) string {
	if former, ok := formerNames[name]; ok {
		return former
	}
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// properties returns the modified properties of differences, in the order of their names, without
// those that are omitted.
func properties(differences []tenant.Difference, omitted ...string) (list []Property) {
	for _, d := range differences {
		switch {
		case slices.Contains(omitted, d.Name):
		case d.Name == "onPremisesExtensionAttributes":
			for _, inner := range directory.Differences(d.Old, d.New) {
				list = append(list, Property{formerName(inner.Name), valueOf(inner.Old), valueOf(inner.New)})
			}
		default:
			list = append(list, Property{formerName(d.Name), valueOf(d.Old), valueOf(d.New)})
		}
	}
	slices.SortFunc(list, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// updated appends the property that names the others.
func updated(list []Property) []Property {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	return append(list, Property{"Included Updated Properties", "", single(strings.Join(names, ", "))})
}

// differs reports whether a property is among differences.
func differs(differences []tenant.Difference, name string) bool {
	return slices.ContainsFunc(differences, func(d tenant.Difference) bool { return d.Name == name })
}

func differenceOf(differences []tenant.Difference, name string) (found tenant.Difference) {
	for _, d := range differences {
		if d.Name == name {
			found = d
		}
	}
	return found
}

// textsIn returns the texts of a JSON list.
func textsIn(raw []byte) (list []string) {
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}
