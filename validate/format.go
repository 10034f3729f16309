package validate

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// IsEmail is the contract's rule for an e-mail address: the Mailbox of RFC 5321
// in ASCII without quoted local parts, comments and address literals, at a
// domain of two labels or more whose last is not a number. What it accepts, SMTP can carry.
func IsEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	domain := s[at+1:]

	return isDotAtom(s[:at]) && strings.IndexByte(domain, '.') > 0 && IsHostname(domain) &&
		!isDigits(domain[strings.LastIndexByte(domain, '.')+1:])
}

func isDotAtom(s string) bool {
	if s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) < 0 {
			return false
		}
	}

	return true
}

// IsHostname is RFC 1123: labels of letters, digits and inner hyphens.
func IsHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if !isAlphanumeric(s[i]) && s[i] != '-' {
				return false
			}
			continue
		}
		if i == start || i-start > 63 || s[start] == '-' || s[i-1] == '-' {
			return false
		}
		start = i + 1
	}

	return true
}

// IsUUID is the form with four hyphens, of any version and in any letter case.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}

	return true
}

// IsDate is full-date of RFC 3339.
func IsDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)

	return err == nil && len(s) == len(time.DateOnly)
}

// IsDateTime is date-time of RFC 3339, with an upper-case T and Z and without
// leap seconds: what a time.Time can hold and give back.
func IsDateTime(s string) bool {
	var t time.Time
	if len(s) < 20 || len(s) > 40 || strings.Contains(s, ",") || t.UnmarshalText([]byte(s)) != nil {
		return false
	}
	zone := s[len(s)-len("+00:00"):]

	return s[len(s)-1] == 'Z' || zone[1:3] < "24" && zone[4:] < "60" // package time takes any
}

// IsURI is an absolute URI (RFC 3986) in ASCII.
func IsURI(s string) bool {
	u, err := url.Parse(s)

	return err == nil && u.Scheme != "" && isURICharacters(s)
}

// IsURIReference is an absolute or relative URI (RFC 3986) in ASCII.
func IsURIReference(s string) bool {
	_, err := url.Parse(s)

	return err == nil && isURICharacters(s)
}

// IsIPv4 is the dotted form.
func IsIPv4(s string) bool {
	a, err := netip.ParseAddr(s)

	return err == nil && a.Is4()
}

// IsIPv6 is RFC 4291 without a zone.
func IsIPv6(s string) bool {
	a, err := netip.ParseAddr(s)

	return err == nil && a.Is6() && a.Zone() == ""
}

func isURICharacters(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("\"<>\\^`{|}", s[i]) >= 0 {
			return false
		}
	}

	return true
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
