package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"

	"licensor/internal/engine"
	"licensor/internal/identity"
	"licensor/internal/tenant"
)

const (
	passwordLetters = "abcdefghijkmnpqrstuvwxyz23456789" // 32 characters that cannot be confused, 5 bits each
	passwordGroups  = 5
	passwordGroup   = 5
)

// generatePassword returns a password of 125 random bits, in groups that can be read aloud: k7mzq-…
func generatePassword(random io.Reader) (string, error) {
	var bits [passwordGroups * passwordGroup]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", fmt.Errorf("make a password: %w", err)
	}
	var text []byte
	for i, b := range bits {
		if i > 0 && i%passwordGroup == 0 {
			text = append(text, '-')
		}
		text = append(text, passwordLetters[b%32])
	}
	return string(text), nil
}

// password returns a password, generated if none is given, and its stored form.
func (s *Server) password(ctx context.Context, given string) (password, hash string, err error) {
	if password = given; password == "" {
		if password, err = generatePassword(rand.Reader); err != nil {
			return "", "", err
		}
	}
	hash, err = identity.HashPassword(ctx, rand.Reader, s.settings.cost, password)
	return password, hash, err
}

// ResetPassword sets a generated password for a user, and returns it. It ends the user's sessions.
func (s *Server) ResetPassword(ctx context.Context, t *engine.Tenant, user string, mustChange bool) (string, error) {
	ordinal, err := t.Image().LiveUser(user)
	if err != nil {
		return "", err
	}
	password, hash, err := s.password(ctx, "")
	if err != nil {
		return "", err
	}
	_, err = t.Do(ctx, Author, tenant.SetPassword{User: ordinal, Hash: hash, ForceChange: mustChange})
	return password, err
}
