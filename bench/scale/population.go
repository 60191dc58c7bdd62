package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"licensor/internal/directory"
)

const (
	groupCount  = 300
	memberships = 15  // of each user; the group number 0 has all users
	smallTenant = 100 // users
)

// The products of the group of all users, and the one that it gets while the clock runs.
var (
	firstProducts = []string{"ENTERPRISEPACK", "EMS"}
	lastProduct   = "Microsoft_365_Copilot"
)

// id returns a UUID in the form of version 4. IDs are spread over all first bytes.
func id(kind byte, n int) uuid.UUID {
	v := uuid.UUID{4: kind, 6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(v[:4], uint32(n)*2654435761)
	binary.BigEndian.PutUint32(v[12:], uint32(n))
	return v
}

// groupsOf returns the numbers of the groups of a user, without duplicates.
func groupsOf(user int) (groups [memberships]int) {
	start := int(uint32(user) * 2654435761 >> 7)
	for k := 1; k < memberships; k++ {
		groups[k] = 1 + (start+21*k)%(groupCount-1)
	}
	return groups
}

// person returns a user as an import has it, with 15 properties besides the id.
func person(n int, domain string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"accountEnabled":true,"displayName":"Person %[2]d of many",`+
		`"givenName":"Given %[3]d","surname":"Family %[4]d","userPrincipalName":"person%[2]d@%[5]s",`+
		`"mail":"person%[2]d@%[5]s","mailNickname":"person%[2]d","jobTitle":"Title %[3]d",`+
		`"department":"Department %[6]d","city":"City %[7]d",`+
		`"country":"Germany","companyName":"Company %[8]d","officeLocation":"Building %[7]d","usageLocation":"DE",`+
		`"employeeId":"E%08[2]d"}`, id('u', n), n, n%700, n%9000, domain, n%200, n%1000, n%50)
}

func group(n int) []byte {
	return fmt.Appendf(nil, `{"id":%q,"displayName":"Group %[2]d","mailEnabled":false,`+
		`"mailNickname":"group%[2]d","securityEnabled":true}`, id('g', n), n)
}

const bigDomain = "scale.example"

// writeFiles writes what `licensor import` reads: users.json, groups.json and members.csv.
func writeFiles(folder string, users int) error {
	return errors.Join(
		writeFile(filepath.Join(folder, "users.json"), func(w io.Writer) (err error) {
			for n := 0; n < users && err == nil; n++ {
				_, err = fmt.Fprintf(w, "%s\n", person(n, bigDomain))
			}
			return err
		}),
		writeFile(filepath.Join(folder, "groups.json"), func(w io.Writer) (err error) {
			for n := 0; n < groupCount && err == nil; n++ {
				_, err = fmt.Fprintf(w, "%s\n", group(n))
			}
			return err
		}),
		writeFile(filepath.Join(folder, "members.csv"), func(w io.Writer) error {
			_, err := fmt.Fprintln(w, "group,member")
			for n := 0; n < users && err == nil; n++ {
				for _, g := range groupsOf(n) {
					_, err = fmt.Fprintf(w, "%s,%s\n", id('g', g), id('u', n))
				}
			}
			return err
		}),
	)
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriterSize(file, 1<<20)
	if err := write(out); err != nil {
		return err
	}
	return out.Flush()
}

// patch parses the body of an update.
func patch(body []byte) (directory.UserPatch, error) {
	members, err := directory.Members(body)
	if err != nil {
		return directory.UserPatch{}, err
	}
	return directory.ParseUserPatch(members)
}

// imported parses a user in the form of an import.
func imported(body []byte) (directory.UserPatch, error) {
	members, err := directory.Members(body)
	if err != nil {
		return directory.UserPatch{}, err
	}
	return directory.ParseUserImport(members)
}
