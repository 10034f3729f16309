package server

import "strings"

// deviceMarks are looked for in a User-Agent, in this order: browsers name each
// other, so the more special one comes first.
var (
	browserMarks = [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systemMarks = [][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"},
		{"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// deviceOf says in a few words what a User-Agent stands for, so that a person
// can tell the own sessions apart. Programs are shown by their own name.
func deviceOf(userAgent string) string {
	browser, system := firstMark(browserMarks, userAgent), firstMark(systemMarks, userAgent)
	switch {
	case userAgent == "":
		return "Unknown device"
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	}
	name, _, _ := strings.Cut(userAgent, " ")
	return strings.ToValidUTF8(name[:min(len(name), 100)], "") // a character may have been cut
}

func firstMark(marks [][2]string, userAgent string) string {
	for _, mark := range marks {
		if strings.Contains(userAgent, mark[0]) {
			return mark[1]
		}
	}
	return ""
}
