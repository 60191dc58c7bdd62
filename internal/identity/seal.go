package identity

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// SealingKeySize is the size of the key that secrets are encrypted with, in bytes.
const SealingKeySize = 32

// ErrSealed means that a secret is encrypted and that the right key was not given.
var ErrSealed = errors.New("it is encrypted")

// Seal returns keys that encrypt their secrets in the store with AES-256-GCM: anyone with the
// database but without the sealing key cannot sign tokens. A secret that was stored unencrypted is
// encrypted when it is read. Without a sealing key (nil) secrets are stored unencrypted, and
// reading an encrypted one returns ErrSealed.
//
// A secret is bound to its name, so that it cannot replace another one.
func Seal(keys Keys, sealingKey []byte) (Keys, error) { return seal(keys, sealingKey) }

func seal(keys Keys, sealingKey []byte) (*sealed, error) {
	if sealingKey == nil {
		return &sealed{keys: keys}, nil
	}
	if len(sealingKey) != SealingKeySize {
		return nil, fmt.Errorf("the key for the secrets has %d bytes instead of %d", len(sealingKey), SealingKeySize)
	}
	block, err := aes.NewCipher(sealingKey)
	if err != nil {
		return nil, fmt.Errorf("use the key for the secrets: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("use the key for the secrets: %w", err)
	}
	return &sealed{keys: keys, cipher: aead, header: append([]byte(sealMagic), sealingKeyID(sealingKey)...)}, nil
}

// A sealed secret is the magic, whose last byte is the version, the id of the sealing key, the
// nonce and the ciphertext. The id distinguishes a wrong key from damage; it is 8 bytes of a hash
// of the key, which reveal nothing about it.
const (
	sealMagic   = "licensor sealed\x01"
	sealIDBytes = 8
)

func sealingKeyID(key []byte) []byte {
	hash := sha256.Sum256(append([]byte("id of a sealing key:"), key...))
	return hash[:sealIDBytes]
}

// SealingKeyID returns the name of a sealing key in the errors of Seal.
func SealingKeyID(key []byte) string { return hex.EncodeToString(sealingKeyID(key)) }

// sealedWith returns the id of the key that a stored secret is encrypted with; ok is false if it is
// unencrypted.
func sealedWith(stored []byte) (id string, ok bool) {
	rest, ok := bytes.CutPrefix(stored, []byte(sealMagic))
	if !ok {
		return "", false
	}
	return hex.EncodeToString(rest[:min(len(rest), sealIDBytes)]), true
}

// Reseal encrypts the signing keys with another sealing key. Either may be nil: unencrypted.
func Reseal(ctx context.Context, keys Keys, before, after []byte) error {
	from, err := seal(keys, before)
	if err != nil {
		return err
	}
	to, err := seal(keys, after)
	if err != nil {
		return err
	}
	return keys.ReplaceSecret(ctx, signingKeys, func(old []byte) ([]byte, error) {
		if old == nil {
			return nil, ErrNoKeys
		}
		plain, err := from.open(signingKeys, old)
		if err != nil {
			return nil, err
		}
		return to.seal(signingKeys, plain), nil
	})
}

type sealed struct {
	keys   Keys
	cipher cipher.AEAD // nil without a key
	header []byte
}

// Secret implements Keys.
func (s *sealed) Secret(ctx context.Context, name string, create func() ([]byte, error)) ([]byte, error) {
	stored, err := s.keys.Secret(ctx, name, func() ([]byte, error) {
		plain, err := create()
		return s.seal(name, plain), err
	})
	if err != nil {
		return nil, err
	}
	if _, is := sealedWith(stored); is || s.cipher == nil {
		return s.open(name, stored)
	}
	var plain []byte
	err = s.ReplaceSecret(ctx, name, func(old []byte) ([]byte, error) {
		plain = old
		return old, nil
	})
	return plain, err
}

// ReplaceSecret implements Keys.
func (s *sealed) ReplaceSecret(ctx context.Context, name string, change func(old []byte) ([]byte, error)) error {
	return s.keys.ReplaceSecret(ctx, name, func(old []byte) ([]byte, error) {
		plain, err := s.open(name, old)
		if err != nil {
			return nil, err
		}
		plain, err = change(plain)
		if err != nil {
			return nil, err
		}
		return s.seal(name, plain), nil
	})
}

func (s *sealed) seal(name string, plain []byte) []byte {
	if s.cipher == nil {
		return plain
	}
	return s.cipher.Seal(slices.Clone(s.header), nil, plain, s.bound(name))
}

// bound returns the data that must match when a secret is decrypted: its header and its name.
func (s *sealed) bound(name string) []byte { return append(slices.Clone(s.header), name...) }

func (s *sealed) open(name string, stored []byte) ([]byte, error) {
	id, is := sealedWith(stored)
	if !is {
		return stored, nil
	}
	if s.cipher == nil {
		return nil,
			fmt.Errorf("the secret %q cannot be read: %w with the key %s, and no key was given", name, ErrSealed, id)
	}
	sealedText, ok := bytes.CutPrefix(stored, s.header)
	if !ok {
		return nil, fmt.Errorf("the secret %q cannot be read: %w with the key %s, and the one given is %x",
			name, ErrSealed, id, s.header[len(sealMagic):])
	}
	plain, err := s.cipher.Open(nil, nil, sealedText, s.bound(name))
	if err != nil {
		return nil,
			fmt.Errorf("the secret %q is damaged, or was moved here from another name: restore it from a backup", name)
	}
	return plain, nil
}
