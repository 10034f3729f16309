package table_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/accord-api/accord/table"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	id     = uuid.MustParse("0198c0de-0000-7abc-8def-0123456789ab")
	moment = time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.FixedZone("", 3600))
	names  = []string{"text", "yes", "number", "cents", "share", "id", "at", "raw", "nothing"}
	values = []any{"a \"quoted\", text;\nof two lines\t<&>\x01\u2028", true, -3, int64(math.MinInt64), 0.25, id, moment, json.RawMessage("{\"a\":\n[1]}"), nil}
)

// pointers are to the same values, and the last one is to none.
func pointers() []any {
	text, yes, number, cents, share, id, at, raw := values[0].(string), true, -3, int64(math.MinInt64), 0.25, id, moment, values[7].(json.RawMessage)
	return []any{&text, &yes, &number, &cents, &share, &id, &at, &raw, (*string)(nil)}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(io.Writer, ...string) *table.Writer
		head string
		row  string
	}{
		"CSV": {
			table.NewCSV, "text,yes,number,cents,share,id,at,raw,nothing\r\n",
			"\"a \"\"quoted\"\", text;\nof two lines\t<&>\x01\u2028\",true,-3,-9223372036854775808,0.25," +
				"0198c0de-0000-7abc-8def-0123456789ab,2026-02-03T03:05:06.789Z,\"{\"\"a\"\":\n[1]}\",\r\n",
		},
		"NDJSON": {
			table.NewNDJSON, "",
			`{"text":"a \"quoted\", text;\nof two lines\t<&>\u0001` + "\u2028" + `","yes":true,"number":-3,"cents":-9223372036854775808,"share":0.25,` +
				`"id":"0198c0de-0000-7abc-8def-0123456789ab","at":"2026-02-03T03:05:06.789Z","raw":{"a": [1]},"nothing":null}` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := c.make(&out, names...)
			must(t, w.Row(values...))
			must(t, w.Row(pointers()...))
			if out.Len() != 0 {
				t.Errorf("written at once: %q", out.String())
			}
			must(t, w.Flush())
			if got, want := out.String(), c.head+c.row+c.row; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value any
		want  string
	}{
		{0, "0"},
		{int16(-7), "-7"},
		{int32(math.MaxInt32), "2147483647"},
		{int64(math.MaxInt64), "9223372036854775807"},
		{0.0, "0"},
		{-1234567.5, "-1234567.5"},
		{1e21, "1e+21"},
		{1e-7, "1e-07"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{json.RawMessage("-1"), "-1"},
		{false, "false"},
	} {
		if got := cell(t, c.value); got != c.want {
			t.Errorf("%v is %s in CSV, want %s", c.value, got, c.want)
		}
		got := member(t, c.value)
		if got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("%v is %s in NDJSON, want %s", c.value, got, c.want)
		}
	}
}

// cell writes a table of one column and gives the bytes of its one row.
func cell(t testing.TB, value any) string {
	t.Helper()
	text := written(t, table.NewCSV, value)
	row, ok := strings.CutPrefix(text, "c\r\n")
	if !ok || !strings.HasSuffix(row, "\r\n") {
		t.Fatalf("%q", text)
	}
	return strings.TrimSuffix(row, "\r\n")
}

func member(t testing.TB, value any) string {
	t.Helper()
	text := written(t, table.NewNDJSON, value)
	row, ok := strings.CutPrefix(text, `{"c":`)
	if !ok || !strings.HasSuffix(row, "}\n") {
		t.Fatalf("%q", text)
	}
	return strings.TrimSuffix(row, "}\n")
}

func written(t testing.TB, format func(io.Writer, ...string) *table.Writer, value any) string {
	t.Helper()
	var out bytes.Buffer
	w := format(&out, "c")
	must(t, w.Row(value))
	must(t, w.Flush())
	return out.String()
}

func TestFormulas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"=1+1", "'=1+1"},
		{"+49 30 1234", "'+49 30 1234"},
		{"-2", "'-2"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1", "\"'\t=1\""},
		{"\ttabbed", "\"'\ttabbed\""},
		{"\rreturned", "\"'\rreturned\""},
		{"\nfed", "\"'\nfed\""},
		{"=HYPERLINK(\"https://example.com?x=\"&A1,\"a\")", `"'=HYPERLINK(""https://example.com?x=""&A1,""a"")"`},
		{"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
		{"＝1+1", "'＝1+1"}, {"＋1", "'＋1"}, {"－1", "'－1"}, {"＠a", "'＠a"},
		{"﹦1", "'﹦1"}, {"﹢1", "'﹢1"}, {"﹣1", "'﹣1"}, {"﹫a", "'﹫a"},
		{"  =1", `"'  =1"`},
		{" ", `" "`},
		{"\u00a0=1", "'\u00a0=1"},
		{"\u3000=1", "'\u3000=1"},
		{"\ufeff=1", "'\ufeff=1"},
		{"\u200b=1", "'\u200b=1"},
		{"\x00=1", "'\x00=1"},
		{`"=1"`, `"'""=1"""`},
		{"'=1", "''=1"},
		{"' \"=1", `"'' ""=1"`},
		{"'tis", "'tis"},
		{"a=1", "a=1"},
		{"a;b", `"a;b"`},
		{"a ", `"a "`},
		{"1-1", "1-1"},
		{"(-1)", "(-1)"},
		{"ada@example.com", "ada@example.com"},
		{"", `""`},
		{"\xff=1", "\ufffd=1"},
		{"Žluťoučký kůň", "Žluťoučký kůň"},
	} {
		if got := cell(t, c.text); got != c.want {
			t.Errorf("%q is written as %s, want %s", c.text, got, c.want)
		}
		var exact string
		must(t, json.Unmarshal([]byte(member(t, c.text)), &exact))
		if want := strings.ToValidUTF8(c.text, "\ufffd"); exact != want {
			t.Errorf("%q is %q in NDJSON", c.text, exact)
		}
	}
	if got := cell(t, json.RawMessage(`"=1"`)); got != `"'""=1"""` {
		t.Errorf("a text as JSON is written as %s", got)
	}
}

func TestHeaderIsDefusedAndQuoted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	must(t, table.NewCSV(&out, "=a", "b,c").Flush())
	if got := out.String(); got != "'=a,\"b,c\"\r\n" {
		t.Error(got)
	}
	out.Reset()
	must(t, table.NewNDJSON(&out, "=a").Flush())
	if out.Len() != 0 {
		t.Errorf("before the first row: %q", out.String())
	}
	w := table.NewNDJSON(&out, `a"b`, "c")
	must(t, w.Row(1, 2))
	must(t, w.Flush())
	if got := out.String(); got != "{\"a\\\"b\":1,\"c\":2}\n" {
		t.Error(got)
	}
}

// A row that cannot be written leaves nothing behind, and others follow.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values []any
		want   string
	}{
		"too few":     {[]any{1}, "a row of 1 values for 2 columns"},
		"too many":    {[]any{1, 2, 3}, "a row of 3 values for 2 columns"},
		"other type":  {[]any{1, []string{"a"}}, "writing column b: it cannot hold a []string"},
		"own type":    {[]any{1, time.Second}, "writing column b: it cannot hold a time.Duration"},
		"no number":   {[]any{1, math.NaN()}, "writing column b: it cannot hold the number NaN"},
		"no end":      {[]any{1, math.Inf(1)}, "writing column b: it cannot hold the number +Inf"},
		"no JSON":     {[]any{1, json.RawMessage("{")}, "writing column b: it cannot hold what is not JSON"},
		"far future":  {[]any{1, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, "writing column b: "},
		"far pointer": {[]any{1, new(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))}, "writing column b: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := table.NewCSV(&out, "a", "b")
			if err := w.Row(c.values...); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			must(t, w.Row(1, 2))
			must(t, w.Flush())
			if got := out.String(); got != "a,b\r\n1,2\r\n" {
				t.Errorf("%q", got)
			}
		})
	}
}

// pipe counts what is written and fails after so many bytes.
type pipe struct{ writes, largest, left int }

var errBroken = errors.New("broken pipe")

func (p *pipe) Write(b []byte) (int, error) {
	p.writes++
	p.largest = max(p.largest, len(b))
	if p.left -= len(b); p.left < 0 {
		return 0, errBroken
	}
	return len(b), nil
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	out := &pipe{left: math.MaxInt}
	w := table.NewCSV(out, "a", "b")
	must(t, w.Flush())
	if out.writes != 1 || out.largest != len("a,b\r\n") {
		t.Errorf("the header came in %d writes of up to %d bytes", out.writes, out.largest)
	}
	must(t, w.Flush())
	if out.writes != 1 {
		t.Error("nothing was written, and in vain")
	}
	for range 100_000 {
		must(t, w.Row("forty characters are in this cell, nearly", 1))
	}
	if out.largest > 33<<10 || out.writes < 100 || out.writes > 200 {
		t.Errorf("%d writes of up to %d bytes", out.writes, out.largest)
	}
}

func TestBrokenWriter(t *testing.T) {
	t.Parallel()
	out := &pipe{left: 40 << 10}
	w := table.NewNDJSON(out, "a")
	var err error
	rows := 0
	for ; err == nil && rows < 100_000; rows++ {
		err = w.Row("some text")
	}
	if !errors.Is(err, errBroken) || rows > 5_000 {
		t.Errorf("after %d rows: %v", rows, err)
	}
	writes := out.writes
	if again := w.Row("some text"); !errors.Is(again, errBroken) {
		t.Errorf("the next row: %v", again)
	}
	if again := w.Flush(); !errors.Is(again, errBroken) || out.writes != writes {
		t.Errorf("a flush: %v, %d writes", again, out.writes-writes)
	}
}

// rows of the export of accounts.
func writeUser(w *table.Writer, verified *time.Time) error {
	return w.Row(id, "ada.lovelace@example.com", "ada.lovelace", "Augusta Ada King", "user", true, verified, moment)
}

var userColumns = []string{"id", "email", "username", "full_name", "role", "is_active", "email_verified_at", "created_at"}

//nolint:paralleltest // allocations are counted for the whole process
func TestRowsAllocateNothing(t *testing.T) {
	for name, w := range map[string]*table.Writer{
		"CSV":    table.NewCSV(io.Discard, userColumns...),
		"NDJSON": table.NewNDJSON(io.Discard, userColumns...),
	} {
		verified := moment
		if n := testing.AllocsPerRun(1000, func() { must(t, writeUser(w, &verified)) }); n != 0 {
			t.Errorf("%s: %v allocations a row", name, n)
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"", "a", "=1", "\"", "a,b", "'=", " \r\n-", "\r", "\xff", "＝\n", "a\r\nb", `\.`, "#a"} {
		f.Add(s, "b")
		f.Add("b", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		var out bytes.Buffer
		w := table.NewCSV(&out, "a", "b")
		must(t, w.Row(a, b))
		must(t, w.Row(nil, a))
		must(t, w.Flush())
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d rows, error %v", len(rows), err)
		}
		for _, pair := range [][2]string{{rows[1][0], a}, {rows[1][1], b}, {rows[2][0], ""}, {rows[2][1], a}} {
			checkCell(t, pair[0], pair[1])
		}
		one := cell(t, a)
		rows, err = csv.NewReader(strings.NewReader("c\r\n" + one + "\r\n")).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%d rows of one column, error %v", len(rows), err)
		}
		checkCell(t, rows[1][0], a)
	})
}

// checkCell knows that Go's reader takes CR LF for LF.
func checkCell(t *testing.T, got, wrote string) {
	t.Helper()
	want := strings.ReplaceAll(strings.ToValidUTF8(wrote, "\ufffd"), "\r\n", "\n")
	behind := strings.TrimLeft(want, " \"'")
	mustDefuse := behind != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(behind)[0])
	mayDefuse := strings.ContainsAny(want, "=+-@\t\r\n＝＋－＠﹦﹢﹣﹫")
	switch {
	case got == want && !mustDefuse:
	case got == "'"+want && mayDefuse:
	default:
		t.Errorf("%q is read as %q", wrote, got)
	}
	if !utf8.ValidString(got) {
		t.Errorf("%q is not UTF-8", got)
	}
}

func FuzzNDJSON(f *testing.F) {
	for _, s := range []string{"", "a", "=1", "\"\\/", "\x00\x1f\x7f", "<&>", "\u2028", "\xff\xfe", "\n", "𝄞"} {
		f.Add(s, int64(len(s)))
	}
	f.Fuzz(func(t *testing.T, s string, n int64) {
		var out bytes.Buffer
		w := table.NewNDJSON(&out, "s", "n", s+"?")
		must(t, w.Row(s, n, nil))
		must(t, w.Flush())
		line, ok := strings.CutSuffix(out.String(), "\n")
		if !ok || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
			t.Errorf("not one line of UTF-8: %q", line)
		}
		exact := string([]rune(s)) // U+FFFD for each byte that is not UTF-8
		var got map[string]any
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		must(t, d.Decode(&got))
		null, there := got[exact+"?"]
		if len(got) != 3 || got["s"] != exact || !there || null != nil {
			t.Errorf("%q is read as %v", s, got)
		}
		if number, ok := got["n"].(json.Number); !ok || number.String() != cell(t, n) {
			t.Errorf("%d is read as %v", n, got["n"])
		}
	})
}
