package sqlite

import (
	"context"
	"database/sql"
)

// prepared reads like the database that it belongs to. The statements that load a tenant are
// prepared: parsing them would be a good part of the time for a small one.
type prepared struct {
	*sql.DB
	statements map[string]*sql.Stmt
}

// preparedTexts are the statements that load a tenant.
var preparedTexts = []string{findTenant, findPlace, readCommits, readManifests, readPart, claimed, claimsOf, readFloors}

func prepareAll(ctx context.Context, db *sql.DB) (prepared, error) {
	p := prepared{db, map[string]*sql.Stmt{}}
	for _, text := range preparedTexts {
		statement, err := db.PrepareContext(ctx, text)
		if err != nil {
			return p, err
		}
		p.statements[text] = statement
	}
	return p, nil
}

// QueryContext is that of the database.
func (p prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if statement := p.statements[text]; statement != nil {
		return statement.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, text, args...)
}

// QueryRowContext is that of the database.
func (p prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	if statement := p.statements[text]; statement != nil {
		return statement.QueryRowContext(ctx, args...)
	}
	return p.DB.QueryRowContext(ctx, text, args...)
}
