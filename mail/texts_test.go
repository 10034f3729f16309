package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/mail"
)

const link = "https://api.example.test/verify?token=abc&x=1"

var jane = mail.Person{FullName: "Jane Doe", Username: "jane-1"}

func TestTexts(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 14, 5, 0, 0, time.FixedZone("", 3600))
	tests := map[string]struct {
		message mail.Message
		subject string
		holds   []string
	}{
		"welcome": {
			mail.Welcome("Shop", jane, link, 24*time.Hour),
			"Welcome to Shop: please confirm your address",
			[]string{"Hello Jane Doe,", "\n" + link + "\n", "for 24 hours"},
		},
		"verify": {
			mail.VerifyEmail("Shop", jane, link, 7*24*time.Hour),
			"Shop: please confirm your address",
			[]string{"Hello Jane Doe,", "\n" + link + "\n", "for 7 days"},
		},
		"reset": {
			mail.ResetPassword("Shop", jane, link, time.Hour),
			"Shop: set a new password",
			[]string{"Hello Jane Doe,", "\n" + link + "\n", "for 1 hour."},
		},
		"changed": {
			mail.PasswordChanged("Shop", jane, link, at),
			"Shop: your password was changed",
			[]string{"Hello Jane Doe,", "\n" + link + "\n", "on 1 March 2026, 13:05 UTC"},
		},
		"registration": {
			mail.NewRegistration("Shop", "jane", "jane@example.test", at),
			"Shop: new account jane",
			[]string{"Username: jane\n", "jane@example.test\n", "1 March 2026, 13:05 UTC"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.message.Subject != test.subject {
				t.Errorf("got subject %q, want %q", test.message.Subject, test.subject)
			}
			for _, want := range test.holds {
				if !strings.Contains(test.message.Text, want) {
					t.Errorf("%q is not in:\n%s", want, test.message.Text)
				}
			}
			if strings.Contains(test.message.Text, "<no value>") || strings.Contains(test.message.Text, "{{") {
				t.Errorf("there is a hole in:\n%s", test.message.Text)
			}
		})
	}
}

func TestTextsStateExpiry(t *testing.T) {
	t.Parallel()
	for validFor, want := range map[time.Duration]string{
		30 * time.Minute: "for 30 minutes", 90 * time.Minute: "for 90 minutes", time.Minute: "for 1 minute.", 48 * time.Hour: "for 2 days", 25 * time.Hour: "for 25 hours",
	} {
		if text := mail.ResetPassword("Shop", jane, link, validFor).Text; !strings.Contains(text, want) {
			t.Errorf("%v: %q is not in:\n%s", validFor, want, text)
		}
	}
}

// A stranger's name must not become an advertisement under our address.
func TestTextsGreetOnlyWithNames(t *testing.T) {
	t.Parallel()
	greeted := func(name string) string {
		line, _, _ := strings.Cut(mail.Welcome("Shop", mail.Person{FullName: name, Username: "jane-1"}, link, time.Hour).Text, "\n")
		return line
	}
	for _, name := range []string{
		"Jane", "J. R. R. Tolkien", "Ana-María O'Neill", "李小龍", "Charles 3", "Dr. med. Jane Doe", strings.Repeat("語", 40), "Jane.",
	} {
		if got := greeted(name); got != "Hello "+name+"," {
			t.Errorf("%q: got %q", name, got)
		}
	}
	for _, name := range []string{
		"", " ", "Win at https://evil.example", "evil.example", "Win 1000 EUR at win24.com now", "win24.com", "w24.c", "1.2", "St.John", "例え。テスト", "例え．テスト",
		"a｡b", "a․b", "call me:1", "a：b", "bit／ly", "bit/ly", "0800 1", "Win 1000", "١٢٣", "a\nSubject: b", "me@evil", "<b>x</b>", "a\\b",
		"a\u202eb", "a\u2028b", "a\u0085b", "a\u200bb", "می\u200cخواهم", strings.Repeat("a", 41),
	} {
		if got := greeted(name); got != "Hello jane-1," {
			t.Errorf("%q: got %q", name, got)
		}
	}
}
