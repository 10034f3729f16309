package table_test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/table"
)

const benchRows = 100_000

// One operation is the export of 100,000 accounts.
func BenchmarkCSV(b *testing.B) {
	verified := moment
	for b.Loop() {
		w := table.NewCSV(io.Discard, userColumns...)
		for range benchRows {
			must(b, writeUser(w, &verified))
		}
		must(b, w.Flush())
	}
}

func BenchmarkNDJSON(b *testing.B) {
	verified := moment
	for b.Loop() {
		w := table.NewNDJSON(io.Discard, userColumns...)
		for range benchRows {
			must(b, writeUser(w, &verified))
		}
		must(b, w.Flush())
	}
}

// What the standard library would cost, and without the defusing.
func BenchmarkStandardCSV(b *testing.B) {
	verified := moment
	for b.Loop() {
		w := csv.NewWriter(io.Discard)
		w.UseCRLF = true
		record := make([]string, len(userColumns))
		for range benchRows {
			record[0], record[1], record[2], record[3], record[4] = id.String(), "ada.lovelace@example.com", "ada.lovelace", "Augusta Ada King", "user"
			record[5], record[6], record[7] = strconv.FormatBool(true), verified.UTC().Format(time.RFC3339Nano), moment.UTC().Format(time.RFC3339Nano)
			must(b, w.Write(record))
		}
		w.Flush()
	}
}

func BenchmarkStandardNDJSON(b *testing.B) {
	type user struct {
		ID              uuid.UUID  `json:"id"`
		Email           string     `json:"email"`
		Username        string     `json:"username"`
		FullName        string     `json:"full_name"`
		Role            string     `json:"role"`
		IsActive        bool       `json:"is_active"`
		EmailVerifiedAt *time.Time `json:"email_verified_at"`
		CreatedAt       time.Time  `json:"created_at"`
	}
	verified := moment
	for b.Loop() {
		w := json.NewEncoder(io.Discard)
		w.SetEscapeHTML(false)
		for range benchRows {
			must(b, w.Encode(user{id, "ada.lovelace@example.com", "ada.lovelace", "Augusta Ada King", "user", true, &verified, moment}))
		}
	}
}
