package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// domain is where all made-up people have their addresses. It is reserved (RFC
// 2606): no mail to it reaches anybody. It also tells them from real people.
const domain = "people.example.com"

// person is an account.
type person struct {
	id                              uuid.UUID
	username, email, fullName, role string
	passwordHash                    string // no password matches ""
	active                          bool
	verifiedAt                      *time.Time
	createdAt                       time.Time
}

// newPerson makes the person with this number, who came at the time of the i-th
// of n. Nine of ten have confirmed their address; one of thirty is inactive.
func newPerson(s *source, number int64, p span, i, n int) person {
	s.row(drawPerson, number)
	first, last := pick(s, firstNames), pick(s, lastNames)
	username := fmt.Sprintf("%s-%s-%d", strings.ToLower(first), strings.ToLower(last), number)
	made := person{
		username: username, email: username + "@" + domain, fullName: first + " " + last, role: "user",
		active: s.IntN(30) > 0, createdAt: p.at(s, i, n),
	}
	made.id = s.id(made.createdAt)
	if at := made.createdAt.Add(s.between(time.Minute, day)); at.Before(p.now) && s.IntN(10) > 0 {
		made.verifiedAt = &at
	}
	return made
}

func userRows(people []person) rows {
	r := rows{table: "users", columns: []string{
		"id", "email", "username", "full_name", "password_hash", "role", "is_active", "email_verified_at", "created_at", "updated_at",
	}}
	for _, p := range people {
		r.values = append(r.values, []any{
			p.id, p.email, p.username, p.fullName, p.passwordHash, p.role, p.active, p.verifiedAt, p.createdAt, p.updatedAt(),
		})
	}
	return r
}

// updatedAt is when the account changed last.
func (p person) updatedAt() time.Time {
	if p.verifiedAt != nil {
		return *p.verifiedAt
	}
	return p.createdAt
}
