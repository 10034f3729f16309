package files_test

import (
	"mime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/accord-api/accord/files"
)

func TestName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300)
	for name, want := range map[string]string{
		"report.pdf": "report.pdf", "Zürich – Größe.pdf": "Zürich – Größe.pdf", "отчёт.txt": "отчёт.txt", "年次報告.xlsx": "年次報告.xlsx", "😀.png": "😀.png", "a b.c.d": "a b.c.d",
		// paths
		"/etc/passwd": "passwd", `C:\Users\ada\cv.doc`: "cv.doc", "../../x.sh": "x.sh", `..\..\x.sh`: "x.sh", "a/b\\c/d.txt": "d.txt", "dir/": "dir", `a\`: "a", "/": "file", `\/\`: "file",
		"..": "file", "../": "file", "a/..": "file", "．．／x": "．．／x",
		// ends
		"": "file", " ": "file", "...": "file", ".htaccess": "htaccess", "..a": "a", " . a.txt . ": "a.txt", "a.txt.": "a.txt", "a. .": "a", "\u3000a\u00a0": "a",
		// what does not show
		"a\x00b\r\nc\x7f\u0085.txt": "abc.txt", "inv\u202egpj.exe": "invgpj.exe", "a\u200b\u200c\u200d\u2060\ufeff\u00ad.txt": "a.txt", "\u2066a\u2069\u061c\u200f.txt": "a.txt", "a\u2028b\u2029": "ab",
		"\u3164\u115f\u034f.txt": "txt", "a\U000e0041\ufe0f\uffff.txt": "a.txt", ".\u200b./x": "x", "\u200b.\u200b.": "file",
		// not UTF-8, not NFC
		"a\xff\xfeb.txt": "a\ufffdb.txt", "\xed\xa0\x80.txt": "\ufffd.txt", "e\u0301.txt": "é.txt", "e\u200b\u0301.txt": "é.txt", "\u212b": "Å",
		// devices
		"CON": "_CON", "con.txt": "_con.txt", "nul": "_nul", "Aux.tar.gz": "_Aux.tar.gz", "com1": "_com1", "LPT9.log": "_LPT9.log", "com¹.txt": "_com¹.txt", "prn .txt": "_prn .txt", "con:x": "con_x", "a:b*c?d<e>f|g.txt": "a_b_c_d_e_f_g.txt", "\u0301": "\u0301",
		"CONIN$": "_CONIN$", "console.txt": "console.txt", "com10": "com10", "comx": "comx", "con-1": "con-1", "a.con": "a.con", ".con": "_con", "dir/nul.": "_nul",
		// lengths
		long + ".pdf": long[:251] + ".pdf", long: long[:255], strings.Repeat("é", 200) + ".txt": strings.Repeat("é", 125) + ".txt", "a." + long: "a." + long[:253],
		long + ".tar.gz": long[:252] + ".gz", strings.Repeat("a", 250) + "    .  .pdf": strings.Repeat("a", 250) + ".pdf", strings.Repeat("x", 250) + "e\u0304\u0323z.txt": strings.Repeat("x", 250) + ".txt",
		strings.Repeat("\u0323", 300) + ".txt": "file.txt", "con" + strings.Repeat(" ", 300) + "x.txt": "_con.txt", "nul." + long: "_nul." + long[:250],
	} {
		if got := files.Name(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestDisposition(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"report.pdf":               `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`,
		"Größe é.txt":              `attachment; filename="Gro_e e.txt"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%C3%A9.txt`,
		"年報.xlsx":                  `attachment; filename="__.xlsx"; filename*=UTF-8''%E5%B9%B4%E5%A0%B1.xlsx`,
		"a\"b'c;d,e(f)=@:*%41.txt": `attachment; filename="a_b'c;d,e(f)=@___41.txt"; filename*=UTF-8''a%22b%27c%3Bd%2Ce%28f%29%3D%40__%2541.txt`,
		"x\r\nSet-Cookie: a=b":     `attachment; filename="xSet-Cookie_ a=b"; filename*=UTF-8''xSet-Cookie_%20a%3Db`,
		"~a_b-c!#$&+^`|.txt":       "attachment; filename=\"~a_b-c!#$&+^`_.txt\"; filename*=UTF-8''~a_b-c!#$&+^`_.txt",
		"\u0301":                   `attachment; filename="_"; filename*=UTF-8''%CC%81`,
		"\u0301.txt":               `attachment; filename="_.txt"; filename*=UTF-8''%CC%81.txt`,
		"../..":                    `attachment; filename="file"; filename*=UTF-8''file`,
	} {
		if got := files.Disposition(name); got != want {
			t.Errorf("%q: got\n%s, want\n%s", name, got, want)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{
		"", "report.pdf", "../../etc/passwd", `C:\a\b.txt`, "CON.txt", "a\x00\u202eb", "e\u200b\u0301", "\xff", strings.Repeat("é", 200) + ".txt", "con" + strings.Repeat(" ", 300) + "x.txt", ". . a. .",
		strings.Repeat("\u0323", 300) + "." + strings.Repeat("\u0301", 10), "LPT¹", strings.Repeat("a", 254) + "\u0344", "nul." + strings.Repeat(".", 300) + "x", "\u1100\u1161\u11a8", "a/.\u200b./b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		name := files.Name(input)
		hidden := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
		switch {
		case name == "" || len(name) > 255:
			t.Errorf("%q: got %d bytes", input, len(name))
		case !utf8.ValidString(name) || !norm.NFC.IsNormalString(name):
			t.Errorf("%q: got %q, which is not UTF-8 in NFC", input, name)
		case strings.ContainsAny(name, `/\`) || strings.ContainsFunc(name, hidden):
			t.Errorf("%q: got %q", input, name)
		case strings.Trim(name, ". ") != name || strings.TrimSpace(name) != name:
			t.Errorf("%q: got %q, with dots or spaces at its ends", input, name)
		case files.Name(name) != name:
			t.Errorf("%q: got %q, and from that %q", input, name, files.Name(name))
		}
		if base, _, _ := strings.Cut(name, "."); strings.EqualFold(strings.TrimSpace(base), "con") {
			t.Errorf("%q: got the device %q", input, name)
		}
		disposition := files.Disposition(input)
		kind, parameters, err := mime.ParseMediaType(disposition)
		if err != nil || kind != "attachment" || parameters["filename"] != name || strings.ContainsFunc(disposition, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: got %s, which reads %v, %v", input, disposition, parameters, err)
		}
	})
}
