package tenant

import (
	"licensor/internal/directory"
	"licensor/internal/store"
)

// ReplaceNUL replaces the character U+0000 by U+FFFD in the texts of users and groups, also of
// deleted ones. Early versions accepted it, and databases cannot hold it.
type ReplaceNUL struct{ Users, Groups []uint32 }

func (ReplaceNUL) name() string { return "replaceNUL" }

func (cmd ReplaceNUL) run(c *change) error {
	for _, user := range cmd.Users {
		if c.dir.UserPurged(user) {
			continue
		}
		if err := c.replaceInUser(user); err != nil {
			return err
		}
	}
	for _, group := range cmd.Groups {
		if c.dir.GroupPurged(group) {
			continue
		}
		was, old, err := c.group(group)
		if err != nil {
			return err
		}
		now, err := directory.ParseGroup(directory.WithoutNUL(old))
		if err != nil {
			return err
		}
		document := now.Document()
		c.markGroup(c.written(store.KindGroup, group, now.ID, old, document))
		c.writeGroup(group, was, now, document)
	}
	return nil
}

func (c *change) replaceInUser(user uint32) error {
	was, old, err := c.user(user)
	if err != nil {
		return err
	}
	now, err := directory.ParseUser(directory.WithoutNUL(old))
	if err != nil {
		return err
	}
	if err := c.rename(user, was, now); err != nil {
		return err
	}
	document := now.Document()
	c.markUser(c.written(store.KindUser, user, now.ID, old, document))
	c.writeUser(user, was, now, document)
	return nil
}
