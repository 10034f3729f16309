package mail

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"
	"unicode"
)

//go:embed texts/*.txt
var textFiles embed.FS

// Each file is a subject line, an empty line and the text.
var texts = template.Must(template.New("texts").Option("missingkey=error").ParseFS(textFiles, "texts/*.txt"))

// Welcome greets a new user and asks to confirm the address by opening link,
// which is valid for validFor.
func Welcome(project, name, link string, validFor time.Duration) Message {
	return render("welcome.txt", facts{Project: project, Greeting: greeting(name), Link: link, ValidFor: words(validFor)})
}

// VerifyEmail asks again to confirm the address.
func VerifyEmail(project, name, link string, validFor time.Duration) Message {
	return render("verify_email.txt", facts{Project: project, Greeting: greeting(name), Link: link, ValidFor: words(validFor)})
}

// ResetPassword carries the link under which a new password can be set.
func ResetPassword(project, name, link string, validFor time.Duration) Message {
	return render("reset_password.txt", facts{Project: project, Greeting: greeting(name), Link: link, ValidFor: words(validFor)})
}

// PasswordChanged tells the owner of an account that its password was changed
// at a time, and where to go (link) if that was somebody else.
func PasswordChanged(project, name, link string, at time.Time) Message {
	return render("password_changed.txt", facts{Project: project, Greeting: greeting(name), Link: link, At: moment(at)})
}

// NewRegistration tells the admins of a new account.
func NewRegistration(project, username, email string, at time.Time) Message {
	return render("new_registration.txt", facts{Project: project, Username: username, Email: email, At: moment(at)})
}

// facts are what the texts can speak of.
type facts struct {
	Project  string
	Greeting string
	Link     string
	ValidFor string
	Username string
	Email    string
	At       string
}

func render(name string, of facts) Message {
	var text strings.Builder
	if err := texts.ExecuteTemplate(&text, name, of); err != nil {
		// Only a mistake in a text comes here; the tests render each of them.
		panic(fmt.Sprintf("rendering a mail: %v", err))
	}
	subject, body, _ := strings.Cut(text.String(), "\n\n")
	return Message{Subject: subject, Text: body}
}

// linkLike is what a mail program would turn into a link: evil.example.
var linkLike = regexp.MustCompile(`\pL{2,}\.\pL{2,}`)

// greeting uses a name only if nothing in it can be clicked or ends the line.
// Anyone can register anyone's address, and must not be able to have us send
// that person an advertisement in place of a name.
func greeting(name string) string {
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsAny(name, "/:@<>\\") || strings.ContainsFunc(name, unicode.IsControl) || linkLike.MatchString(name) {
		return "Hello,"
	}
	return "Hello " + name + ","
}

func moment(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }

// words writes a duration as people say it, in its largest whole unit up to
// days: 24 hours, 30 minutes, 7 days.
func words(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return count(d/day, "day")
	case d >= time.Hour && d%time.Hour == 0:
		return count(d/time.Hour, "hour")
	default:
		return count(d/time.Minute, "minute")
	}
}

func count(n time.Duration, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
