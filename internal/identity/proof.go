package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// proofAudience is the audience of proofs of possession: the directory's API before Microsoft
	// Graph.
	proofAudience = "00000002-0000-0000-c000-000000000000"
	longestProof  = 10 * time.Minute
	proofSkew     = 5 * time.Minute
)

// CheckProof checks a proof of possession: a token with which an application, or service principal,
// proves that it has the key of one of its currently valid certificates. The issuer is its object
// id. The error describes what is wrong.
func CheckProof(raw, issuer string, certificates []Certificate, now time.Time) error {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil || !OneSpelling(raw) {
		return errors.New("it is not a token signed with RS256 or PS256")
	}
	claims, err := provenBy(token, certificates, now)
	if err != nil {
		return err
	}
	switch {
	case claims.Issuer != issuer:
		return fmt.Errorf("its issuer must be the object id, %s", issuer)
	case !claims.Audience.Contains(proofAudience):
		return fmt.Errorf("its audience must be %s", proofAudience)
	case claims.Expiry == nil || claims.NotBefore == nil:
		return errors.New("it must have 'nbf' and 'exp'")
	case !now.Before(claims.Expiry.Time().Add(proofSkew)):
		return errors.New("it has expired")
	case now.Add(proofSkew).Before(claims.NotBefore.Time()):
		return errors.New("it is not valid yet")
	case claims.Expiry.Time().Sub(claims.NotBefore.Time()) > longestProof:
		return errors.New("it is valid for longer than 10 minutes")
	}
	return nil
}

// provenBy returns the claims of a token that one of the certificates has signed.
func provenBy(token *jwt.JSONWebToken, certificates []Certificate, now time.Time) (*jwt.Claims, error) {
	for _, registered := range certificates {
		certificate, err := x509.ParseCertificate(registered.DER)
		if err != nil {
			return nil, fmt.Errorf("read a certificate of the application: %w", err)
		}
		if now.After(certificate.NotAfter) || !registered.Expires.IsZero() && !now.Before(registered.Expires) {
			continue
		}
		claims := new(jwt.Claims)
		if token.Claims(certificate.PublicKey, claims) == nil {
			return claims, nil
		}
	}
	return nil, errors.New("it is not signed by a valid certificate. Without one, certificates are added with " +
		"PATCH")
}
