package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"licensor/internal/store"
)

// source is the origin of an attempt at an account's password, by which attempts are counted: a
// device or an address that has signed in to the account before has its own count, all others share
// one.
type source struct {
	class  class
	lane   limit
	others []limit // a budget, and for strangers also the count of their address over all accounts
}

// sourceOf distinguishes four kinds of sources. The range of an address that has signed in before
// may have other clients, too, so each address in it has its own lane and all share a budget.
func (s *Server) sourceOf(c *call, account key) (source, error) {
	if d, ok := s.knownDevice(c); ok && d.has(account) {
		return knownSource("device", account, string(d.id[:]), string(d.id[:])), nil
	}
	places, _, _, err := s.places(c, account)
	if err != nil {
		return source{}, err
	}
	network, _ := networkOf(c.RemoteAddr)
	area := rangeOf(c.RemoteAddr)
	switch {
	case places.has(network):
		return knownSource("network", account, network.String(), network.String()), nil
	case places.hasWithin(area):
		return knownSource("range", account, network.String(), area.String()), nil
	}
	return source{
		lane: limit{
			key:     keyOfAttempts("stranger", string(account[:]), area.String()),
			free:    freeOfLane,
			longest: longestOfStranger,
		},
		others: append(ofAddress(c.RemoteAddr), ofStrangers(account, atLarge(c.RemoteAddr))),
	}, nil
}

func knownSource(kind string, account key, lane, budget string) source {
	return source{
		class:  known,
		lane:   limit{key: keyOfAttempts(kind, string(account[:]), lane), free: freeOfLane, longest: longestOfKnown},
		others: []limit{{key: keyOfAttempts(kind+"s", string(account[:]), budget), hourly: guessesPerHour}},
	}
}

// ofStrangers returns the limits of all strangers who try an account, of which newcomers have a
// part.
func ofStrangers(account key, from netip.Prefix) limit {
	return limit{
		key:    keyOfAttempts("strangers", string(account[:])),
		hourly: guessesPerHour - ofNewcomers,
		newcomers: &newcomers{
			from:   keyOfAttempts("newcomer", string(account[:]), from.String()),
			budget: keyOfAttempts("newcomers", string(account[:])),
		},
	}
}

// places is the ticket of the addresses from which an account has signed in.
type places struct {
	Places []place `json:"places"` // newest first
}

type place struct {
	Network netip.Prefix `json:"network"`
	Seen    time.Time    `json:"seen"`
}

const (
	mostPlaces = 16
	placesLast = 90 * 24 * time.Hour
	seenAgain  = 24 * time.Hour // how often the last time of a place is updated
)

func (p places) has(network netip.Prefix) bool {
	return slices.ContainsFunc(p.Places, func(known place) bool { return known.Network == network })
}

func (p places) hasWithin(area netip.Prefix) bool {
	return area.IsValid() &&
		slices.ContainsFunc(p.Places, func(known place) bool { return area.Contains(known.Network.Addr()) })
}

func (s *Server) places(c *call, account key) (found places, ticket store.Ticket, ok bool, err error) {
	ticket, ok, err = s.ticket(c.Context(), forPlaces.id(string(account[:])), &found)
	found.Places = slices.DeleteFunc(found.Places, func(p place) bool {
		return s.config.Now().Sub(p.Seen) > placesLast
	})
	return found, ticket, ok, err
}

// rememberPlace records that an account has signed in from the call's address. Of several
// concurrent updates one may be lost; it is recorded the next time.
func (s *Server) rememberPlace(c *call, account key, user uuid.UUID) error {
	network, _ := networkOf(c.RemoteAddr)
	found, ticket, ok, err := s.places(c, account)
	if err != nil {
		return err
	}
	now := s.config.Now().UTC().Truncate(time.Second)
	if slices.ContainsFunc(found.Places, func(p place) bool {
		return p.Network == network && now.Sub(p.Seen) < seenAgain
	}) {
		return nil
	}
	others := slices.DeleteFunc(found.Places, func(p place) bool { return p.Network == network })
	found = places{append([]place{{network, now}}, others[:min(len(others), mostPlaces-1)]...)}
	if ticket.Expires = now.Add(placesLast); ok {
		_, err = s.changeTicket(c.Context(), ticket, found)
		return err
	}
	_, err = s.addTicket(c.Context(), forPlaces.id(string(account[:])), c.tenant, user, placesLast, found)
	return err
}

// knownDevice is a browser in which people have signed in, according to its cookie: an id, when the
// cookie was created, and the last accounts.
type knownDevice struct {
	id       [16]byte
	accounts []accountTag // newest first
}

// accountTag is the beginning of an account's key.
type accountTag [8]byte

const (
	deviceCookie = "licensor-device"
	deviceLasts  = 180 * 24 * time.Hour
	mostAccounts = 5
)

func (d *knownDevice) has(account key) bool {
	return slices.Contains(d.accounts, accountTag(account[:8]))
}

// knownDevice reads the cookie, and reports whether it is ours and not too old.
func (s *Server) knownDevice(c *call) (*knownDevice, bool) {
	text := c.cookie(deviceCookie)
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	d := new(knownDevice)
	at := len(data) - sha256.Size
	if err != nil || at < len(d.id)+8 || !hmac.Equal(data[at:], s.deviceSum(data[:at])) {
		return nil, false
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(data[len(d.id):])), 0)
	if s.config.Now().Sub(made) > deviceLasts {
		return nil, false
	}
	copy(d.id[:], data)
	for tag := range slices.Chunk(data[len(d.id)+8:at], len(accountTag{})) {
		d.accounts = append(d.accounts, accountTag(tag))
	}
	return d, true
}

func (s *Server) deviceSum(data []byte) []byte {
	mac := hmac.New(sha256.New, s.config.DeviceKey)
	mac.Write(data)
	return mac.Sum(nil)
}

// rememberDevice sets a cookie that records that an account has signed in in the browser.
func (s *Server) rememberDevice(c *call, account key) error {
	d, ok := s.knownDevice(c)
	if !ok {
		d = new(knownDevice)
		if _, err := io.ReadFull(s.config.Random, d.id[:]); err != nil {
			return fmt.Errorf("make the id of a device: %w", err)
		}
	}
	tag := accountTag(account[:8])
	others := slices.DeleteFunc(d.accounts, func(other accountTag) bool { return other == tag })
	data := binary.BigEndian.AppendUint64(d.id[:], uint64(s.config.Now().Unix()))
	data = append(data, tag[:]...)
	for _, other := range others[:min(len(others), mostAccounts-1)] {
		data = append(data, other[:]...)
	}
	c.keepCookie(deviceCookie, base64.RawURLEncoding.EncodeToString(append(data, s.deviceSum(data)...)), deviceLasts)
	return nil
}
