package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// importFiles are what `licensor import` reads, in this order.
var importFiles = []string{"users.json", "groups.json", "members.csv", "subscriptions.csv"}

// writeFiles writes the population for `licensor import`, unless an earlier run did.
func writeFiles(folder string, p *population) error {
	_, err := once(folder, func() (map[string]time.Duration, error) {
		writers := []func(io.Writer) error{p.writeUsers, writeGroups, p.writeMembers, p.writeSubscriptions}
		for i, write := range writers {
			if err := writeFile(filepath.Join(folder, importFiles[i]), write); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	return err
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out := bufio.NewWriter(file)
	if err := write(out); err != nil {
		return err
	}
	return out.Flush()
}

func (p *population) writeUsers(out io.Writer) error {
	encoder := json.NewEncoder(out)
	for one := range p.people() {
		user := map[string]any{
			"id": one.id, "accountEnabled": one.accountEnabled, "createdDateTime": one.created.Format(time.RFC3339), "proxyAddresses": one.proxyAddresses,
		}
		for i, name := range textProperties {
			user[name] = one.text[i]
		}
		if err := encoder.Encode(user); err != nil {
			return err
		}
	}
	return nil
}

func writeGroups(out io.Writer) error {
	encoder := json.NewEncoder(out)
	for g := range groupCount {
		err := encoder.Encode(map[string]any{
			"id": groupID(g), "displayName": groupName(g), "mailEnabled": false, "mailNickname": fmt.Sprintf("group%d", g), "securityEnabled": true,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *population) writeMembers(out io.Writer) error {
	if _, err := fmt.Fprintln(out, "group,member"); err != nil {
		return err
	}
	for one := range p.people() {
		for _, g := range one.groups {
			if _, err := fmt.Fprintf(out, "%s,%s\n", groupID(g), one.id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *population) writeSubscriptions(out io.Writer) error {
	_, err := fmt.Fprintln(out, "skuId,totalLicenses")
	for _, product := range products {
		if err == nil {
			_, err = fmt.Fprintf(out, "%s,%d\n", product.skuID, p.users+1)
		}
	}
	return err
}
