package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// row is a user in a response of the handler. Only selected columns are set.
type row struct {
	ID                string            `json:"id"`
	DisplayName       string            `json:"displayName"`
	GivenName         string            `json:"givenName,omitempty"`
	Surname           string            `json:"surname,omitempty"`
	UserPrincipalName string            `json:"userPrincipalName"`
	Mail              string            `json:"mail,omitempty"`
	JobTitle          string            `json:"jobTitle,omitempty"`
	OfficeLocation    string            `json:"officeLocation,omitempty"`
	MobilePhone       string            `json:"mobilePhone,omitempty"`
	AssignedLicenses  []assignedLicense `json:"assignedLicenses,omitempty"`
}

type assignedLicense struct {
	DisabledPlans []string `json:"disabledPlans"`
	SKUID         string   `json:"skuId"`
}

type answer struct {
	Total *int  `json:"@odata.count,omitempty"`
	Value []row `json:"value"`
}

// postgresHandler answers questions from PostgreSQL with prepared statements.
type postgresHandler struct{ db *pgxpool.Pool }

func servePostgres(ctx context.Context, connection string, questions []*question) error {
	g, err := newGate(ctx)
	if err != nil {
		return err
	}
	db, err := pgxpool.New(ctx, connection)
	if err != nil {
		return err
	}
	defer db.Close()
	h := postgresHandler{db}
	mux := http.NewServeMux()
	for _, q := range questions {
		mux.HandleFunc("GET /"+q.name, g.guard(h.ask(q)))
	}
	mux.HandleFunc("GET /page-100", g.guard(h.page))
	mux.HandleFunc("GET /page-999", g.guard(h.pageWithLicenses))
	mux.HandleFunc("PATCH /users/{id}", g.guard(h.change))
	return g.serve(ctx, mux)
}

func (h postgresHandler) ask(q *question) http.HandlerFunc {
	page, total := q.statements()
	return func(w http.ResponseWriter, r *http.Request) {
		var args []any
		for _, a := range r.URL.Query()["a"] {
			args = append(args, a)
		}
		found, err := h.rows(r.Context(), scanDefault, page, args...)
		a := answer{Value: found}
		if err == nil && q.count {
			a.Total = new(int)
			err = h.db.QueryRow(r.Context(), total, args...).Scan(a.Total)
		}
		write(w, a, err)
	}
}

func scanDefault(rows pgx.Rows, u *row) error {
	return rows.Scan(&u.ID, &u.DisplayName, &u.GivenName, &u.Surname, &u.UserPrincipalName,
		&u.Mail, &u.JobTitle, &u.OfficeLocation, &u.MobilePhone)
}

func scanLicenses(rows pgx.Rows, u *row) error {
	var skus []string
	if err := rows.Scan(&u.ID, &u.DisplayName, &u.UserPrincipalName, &skus); err != nil {
		return err
	}
	for _, sku := range skus {
		u.AssignedLicenses = append(u.AssignedLicenses, assignedLicense{[]string{}, sku})
	}
	return nil
}

func (h postgresHandler) rows(
	ctx context.Context, scan func(pgx.Rows, *row) error, sql string, args ...any,
) ([]row, error) {
	rows, err := h.db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []row{}
	for rows.Next() {
		found = append(found, row{})
		if err := scan(rows, &found[len(found)-1]); err != nil {
			return nil, err
		}
	}
	return found, rows.Err()
}

// page returns a page of 100 users, those after a number.
func (h postgresHandler) page(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	const sql = "SELECT id, displayName, givenName, surname, userPrincipalName, mail, jobTitle, officeLocation, " +
		"mobilePhone FROM people WHERE number > $1 ORDER BY number LIMIT 100"
	found, err := h.rows(r.Context(), scanDefault, sql, after)
	write(w, answer{Value: found}, err)
}

func (h postgresHandler) pageWithLicenses(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	const sql = "SELECT id, displayName, userPrincipalName, ARRAY(SELECT sku FROM licenses WHERE person = number) " +
		"FROM people WHERE number > $1 ORDER BY number LIMIT 999"
	found, err := h.rows(r.Context(), scanLicenses, sql, after)
	write(w, answer{Value: found}, err)
}

func (h postgresHandler) change(w http.ResponseWriter, r *http.Request) {
	var body struct{ OfficeLocation string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, err := h.db.Exec(r.Context(), "UPDATE people SET officeLocation = $2 WHERE id = $1",
		r.PathValue("id"), body.OfficeLocation)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func write(w http.ResponseWriter, a answer, err error) {
	var body []byte
	if err == nil {
		body, err = json.Marshal(a)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}
