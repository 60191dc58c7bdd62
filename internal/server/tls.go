package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// keyPair is a certificate with its key, in files that may be replaced while the server runs, as
// renewal tools do.
type keyPair struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	as     time.Time // the newer file's modification time when it was loaded
}

// current returns the certificate in the files. If they have become unusable, it returns the last
// valid one.
func (k *keyPair) current() (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, err := k.changed()
	if err == nil && k.loaded != nil && at.Equal(k.as) {
		return k.loaded, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(k.cert, k.key); err == nil {
			k.loaded, k.as = &pair, at
			return k.loaded, nil
		}
	}
	err = fmt.Errorf("the certificate %s with the key %s cannot be used: %w", k.cert, k.key, err)
	if k.loaded == nil {
		return nil, err
	}
	k.log.Error("the new certificate cannot be used; the previous one stays in use", "error", err)
	k.as = at
	return k.loaded, nil
}

func (k *keyPair) changed() (time.Time, error) {
	cert, certErr := os.Stat(k.cert)
	key, keyErr := os.Stat(k.key)
	if err := errors.Join(certErr, keyErr); err != nil {
		return time.Time{}, err
	}
	if key.ModTime().After(cert.ModTime()) {
		return key.ModTime(), nil
	}
	return cert.ModTime(), nil
}
