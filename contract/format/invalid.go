package format

import "strings"

var badUUIDs = []string{
	"",
	"3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7c",   // one short
	"3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7c11", // one long
	"3f1c9c1-5f0d-4a53-9f0c-6f3ed8a2b7c1",   // one short at the front
	"3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7cg",  // no digit
	"gf1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7c1",
	"3f1c9c1e5f0d-4a53-9f0c-6f3ed8a2b7c1", // a hyphen missing
	"3f1c9c1e-5f0d4a53-9f0c-6f3ed8a2b7c1",
	"3f1c9c1e-5f0d-4a539f0c-6f3ed8a2b7c1",
	"3f1c9c1e-5f0d-4a53-9f0c6f3ed8a2b7c1",
	"3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7c1-", // one too many
	"3f1c9c1e-5f0-d4a53-9f0c-6f3ed8a2b7c1",  // in another place
	"3f1c9c1e_5f0d_4a53_9f0c_6f3ed8a2b7c1",  // other separators
	" 3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7c1",
	"3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7c1\n",
	"3f1c9c1e-5f0d-4a53-9f0c-6f3ed8a2b7é1",
}

var badDates = []string{
	"",
	"2023-02-29", // no leap year
	"1900-02-29",
	"2024-02-30",
	"2024-04-31",
	"2024-00-10",
	"2024-13-10",
	"2024-01-00",
	"2024-01-32",
	"2024-1-10",
	"2024-01-1",
	"24-01-10",
	"02024-01-10",
	"-2024-01-10",
	"2024/01/10",
	"20240110",
	"2024-01",
	"10-01-2024",
	" 2024-01-10",
	"2024-01-10 ",
	"2024-01-10\n",
	"2024-01-10T00:00:00Z",
	"2024-01-1a",
	"2024-01-1٠", // a digit, but not of ASCII
}

var badTimes = []string{
	"",
	"24:00:00Z",
	"12:60:00Z",
	"12:00:61Z",
	"12:00:60Z", // a leap second, but not at the end of a day
	"1:00:00Z",
	"12:00Z",
	"12:00:00",
	"12:00:00.Z",
	"12:00:00,5Z",
	"12:00:00+24:00",
	"12:00:00+01:60",
	"12:00:00+0100",
	"12:00:00+1:00",
	"12:00:00+01",
	"12-00-00Z",
	"120000Z",
	"12:00:00 Z",
	" 12:00:00Z",
	"12:00:00Z\n",
	"12:00:00ZZ",
	"12:00:00 PM",
}

var badDateTimes = append(badMoments(),
	"",
	"2024-01-10",
	"12:00:00Z",
	"2024-01-10 12:00:00Z",
	"2024-01-10_12:00:00Z",
	"2024-01-1012:00:00Z",
	"1704888000",
	"Wed, 10 Jan 2024 12:00:00 GMT",
)

// badMoments are the bad dates with a good time, and the other way round.
func badMoments() []string {
	var out []string
	for _, s := range badDates {
		if s != "" && !strings.Contains(s, "T") {
			out = append(out, s+"T12:00:00Z")
		}
	}
	for _, s := range badTimes {
		if s != "" {
			out = append(out, "2024-01-10T"+s)
		}
	}
	return out
}

var badDurations = []string{
	"",
	"P",
	"PT",
	"P1",
	"P1DT",
	"1D",
	"p1D",
	"P1H",
	"PT1D",
	"P1D1Y",
	"P1M1Y",
	"PT1S1M",
	"P1W1D",
	"P1DT1HT1M",
	"P-1D",
	"-P1D",
	"P1.5D",
	"PT1,5S",
	"PD",
	"P1d",
	"PT1h",
	"P1D ",
	" P1D",
	"P1D\n",
	"P 1D",
	"P1X",
	"P٠D",
}

var badEmails = []string{
	"",
	"ada",
	"ada@",
	"ada.example.com",
	"ada@@example.com",
	"ada@lovelace@example.com",
	".ada@example.com",
	"ada.@example.com",
	"ada..lovelace@example.com",
	"ada lovelace@example.com",
	"ada@exam ple.com",
	"ada@.example.com",
	"ada@example..com",
	"ada@-example.com",
	"ada@example-.com",
	"ada@exa_mple.com",
	"ada@[192.0.2.256]",
	"Ada <ada@example.com>",
	"ada,b@example.com",
	"ada@example.com,bob@example.com",
	" ada@example.com",
	"ada@example.com ",
	"ada@example.com\n",
	"ada\t@example.com",
	"ada(comment)@example.com",
	strings.Repeat("a", 65) + "@example.com",
	"ada@" + strings.Repeat("a", 64) + ".com",
	"ada@" + strings.Repeat(strings.Repeat("a", 49)+".", 5) + "com",
}

var badHostnames = []string{
	"",
	".",
	".example.com",
	"example..com",
	"example.com..",
	"-example.com",
	"example-.com",
	"example.-com",
	"exa_mple.com",
	"exa mple.com",
	"exämple.com",
	"example.com/",
	"example.com:80",
	"https://example.com",
	"*.example.com",
	" example.com",
	"example.com ",
	"example.com\n",
	strings.Repeat("a", 64) + ".com",
	strings.Repeat(strings.Repeat("a", 49)+".", 5) + "com1",
}

var badIPv4s = []string{
	"",
	"192.0.2",
	"192.0.2.1.1",
	"192.0.2.256",
	"256.0.2.1",
	"192.0.2.-1",
	"192.0.2.01",
	"192.0.2.",
	".192.0.2",
	"192.0..1",
	"192.0.2.a",
	"192.0.2.0x1",
	"192,0,2,1",
	"3221225985",
	"192.0.2.1/24",
	"192.0.2.1:80",
	" 192.0.2.1",
	"192.0.2.1 ",
	"192.0.2.1\n",
	"192.0.2.٠",
	"2001:db8::1",
}

var badIPv6s = []string{
	"",
	":",
	":::",
	"2001:db8",
	"2001:db8:1:2:3:4:5",
	"2001:db8:1:2:3:4:5:6:7",
	"2001:db8::1::2",
	"2001:db8:::1",
	"2001:db8::12345",
	"2001:db8::g",
	":2001:db8::1",
	"2001:db8::1:",
	"2001:db8::1/64",
	"[2001:db8::1]",
	"fe80::1%eth0",
	"::ffff:192.0.2.256",
	"::ffff:192.0.2",
	" 2001:db8::1",
	"2001:db8::1 ",
	"2001:db8::1\n",
	"192.0.2.1",
}

var badURIs = []string{
	"",
	"/path",
	"//example.com/path",
	"example.com",
	"path?q=1",
	"#fragment",
	"://example.com",
	"1https://example.com",
	"ht_tp://example.com",
	":https",
	"https://exam ple.com",
	"https://example.com:port",
	"https://[2001:db8::1",
	"https://[2001:db8::g]",
	"https://example.com/%",
	"https://example.com/%4",
	"https://example.com/%zz",
	"https://example.com/\x7f",
	"https://example.com/\n",
	" https://example.com",
}

var badURIReferences = []string{
	"://example.com",
	":path",
	"//exam ple.com",
	"//example.com:port",
	"//[2001:db8::1",
	"//[2001:db8::g]",
	"/%",
	"/%4",
	"/%zz",
	"#%zz",
	`\path`,
	`/a\b`,
	"/\x7f",
	"/\n",
	"1a:b",
}

var badExpressions = []string{
	"(",
	")",
	"[",
	"[a",
	"[z-a]",
	"*",
	"+a",
	"?",
	"a**",
	"a{2,1}",
	`\`,
	`a\`,
	"(?:a",
	"(?<n>a",
}

var badPointers = []string{
	"a",
	"a/b",
	"#",
	"#/a",
	" /a",
	"/~",
	"/~2",
	"/a~",
	"/a~/b",
	"/a/~b",
	"/a~~0",
	"0",
	"./a",
}

var badBase64s = []string{
	"YQ",
	"YQ=",
	"YQ===",
	"Y",
	"YWI",
	"YWJj=",
	"=YQ=",
	"YQ==YQ==",
	"Y Q==",
	" YQ==",
	"YQ== ",
	"YWJ-",
	"YWJ_",
	"YWJ.",
	"YWJé",
	"YQ=*",
}
