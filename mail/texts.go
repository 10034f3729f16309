package mail

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"
)

//go:embed texts/*.txt
var textFiles embed.FS

// Each file is a subject line, an empty line and the text.
var texts = template.Must(template.New("texts").Option("missingkey=error").ParseFS(textFiles, "texts/*.txt"))

// Welcome greets a new user and asks to confirm the address by opening link,
// which is valid for validFor.
func Welcome(project string, to Person, link string, validFor time.Duration) Message {
	return render("welcome.txt", facts{Project: project, Greeting: to.greeting(), Link: link, ValidFor: words(validFor)})
}

// VerifyEmail asks again to confirm the address.
func VerifyEmail(project string, to Person, link string, validFor time.Duration) Message {
	return render("verify_email.txt", facts{Project: project, Greeting: to.greeting(), Link: link, ValidFor: words(validFor)})
}

// ResetPassword carries the link under which a new password can be set.
func ResetPassword(project string, to Person, link string, validFor time.Duration) Message {
	return render("reset_password.txt", facts{Project: project, Greeting: to.greeting(), Link: link, ValidFor: words(validFor)})
}

// PasswordChanged tells the owner of an account that its password was changed
// at a time, and where to go (link) if that was somebody else.
func PasswordChanged(project string, to Person, link string, at time.Time) Message {
	return render("password_changed.txt", facts{Project: project, Greeting: to.greeting(), Link: link, At: moment(at)})
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

// Person is who a mail is about and to.
type Person struct {
	FullName string
	// Username is letters, digits, underscores and hyphens.
	Username string
}

// maxGreeted is the length of a full name, in characters, beyond which it may as
// well be a message.
const maxGreeted = 40

// unlikeNames is what an address on the web or a number to call has, and a name
// has not: a dot, slash or colon of any script with no space after it, two digits
// in a row.
var unlikeNames = regexp.MustCompile(`[^\pZ][.。．｡․:：/／][^\pZ]|\pN{2}|[@<>\\]`)

// greeting uses the full name only if nothing in it can be clicked, called or ends
// the line, and else the user name. Anyone can register anyone's address, and must
// not be able to have us send that person an advertisement in place of a name.
func (p Person) greeting() string {
	name := strings.TrimSpace(p.FullName)
	if name == "" || utf8.RuneCountInString(name) > maxGreeted || unlikeNames.MatchString(name) || strings.ContainsFunc(name, unseen) {
		name = p.Username
	}
	return "Hello " + name + ","
}

// unseen are characters that end a line, turn its direction, or hide.
func unseen(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) }

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
