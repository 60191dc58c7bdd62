package main

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"licensor/internal/guid"
)

// tenantID reads the id of a tenant in a flag.
func tenantID(flag, text string) (uuid.UUID, error) {
	id, ok := guid.Parse(text)
	if !ok || id == uuid.Nil {
		return id, usage(fmt.Errorf("%s is %q, which is not the id of a tenant", flag, text))
	}
	return id, nil
}

// oneTenant reads the id of a tenant in a flag; nil if it is empty.
func oneTenant(flag, text string) ([]uuid.UUID, error) {
	if text == "" {
		return nil, nil
	}
	id, err := tenantID(flag, text)
	if err != nil {
		return nil, err
	}
	return []uuid.UUID{id}, nil
}

// tenantIDs reads the ids of --tenant if it may be repeated; nil if there are none. It leaves
// duplicates out.
func tenantIDs(list []string) (ids []uuid.UUID, err error) {
	for _, text := range list {
		id, err := tenantID("--tenant", text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
