package server

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// candidates are texts of many kinds; a valid value is the first that the oracle takes.
var candidates = []string{
	"ada", "a", "A", "1", "3", "10", "0.5", "true", "ada@example.com", "Analytical-1843", "0198c0de-0000-7000-8000-000000000001",
	"2026-01-15", "2026-01-15T09:30:00Z", "https://example.com/a", "example.com", "192.0.2.1", "2001:db8::1",
	"aaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "AAAA", "ABC", "USD", "abc-def", "a.b",
}

// valid finds a value for a schema: for a parameter its text.
func (o *oracle) valid(t *testing.T, pointer string, schema map[string]any) any {
	t.Helper()

	flat := o.flat(schema)
	own := enumTexts(flat)
	if flat["items"] != nil {
		own = append(own, enumTexts(o.flat(object(flat["items"])))...)
	}
	for _, text := range append(own, candidates...) {
		if o.holds(t, pointer, o.instance(schema, text)) {
			return text
		}
	}
	t.Fatalf("no candidate is valid for %s", pointer)

	return nil
}

func enumTexts(flat map[string]any) []string {
	var list []string
	all, _ := flat["enum"].([]any)
	examples, _ := flat["examples"].([]any)
	all = append(slices.Clone(all), examples...)
	if flat["const"] != nil {
		all = append(all, flat["const"])
	}
	for _, one := range all {
		text, ok := one.(string)
		if !ok {
			raw, _ := json.Marshal(one)
			text = string(raw)
		}
		list = append(list, text)
	}

	return list
}

// validBody makes a body with every member of the schema, optional ones included.
func (o *oracle) validBody(t *testing.T, pointer string, schema map[string]any) map[string]any {
	t.Helper()

	body, _ := o.make(schema, 0).(map[string]any)
	if !o.holds(t, pointer, body) {
		t.Fatalf("no valid body for %s: %v", pointer, body)
	}

	return body
}

// make builds a value that is most likely valid; validBody checks.
func (o *oracle) make(schema map[string]any, depth int) any {
	flat := o.flat(schema)
	if examples, ok := flat["examples"].([]any); ok {
		return examples[0]
	}
	if texts := enumTexts(flat); len(texts) > 0 {
		return o.instance(schema, texts[0])
	}
	switch o.typeOf(schema) {
	case "object":
		return o.makeObject(flat, depth)
	case "array":
		items := []any{}
		for range max(1, number(flat["minItems"], 1)) {
			items = append(items, o.make(object(flat["items"]), depth+1))
		}

		return items
	case "integer", "number":
		return json.Number(strconv.Itoa(number(flat["minimum"], number(flat["multipleOf"], 1))))
	case "boolean":
		return true
	}

	return o.makeText(flat)
}

func (o *oracle) makeObject(flat map[string]any, depth int) any {
	out := map[string]any{}
	required, _ := flat["required"].([]any)
	for name, member := range object(flat["properties"]) {
		if depth < 4 || slices.Contains(required, any(name)) {
			out[name] = o.make(object(member), depth+1)
		}
	}

	return out
}

func (o *oracle) makeText(flat map[string]any) any {
	if format, _ := flat["format"].(string); format != "" {
		texts := map[string]string{
			"email": "ada@example.com", "uuid": "0198c0de-0000-7000-8000-000000000001", "date": "2026-01-15",
			"date-time": "2026-01-15T09:30:00Z", "uri": "https://example.com/a", "uri-reference": "/a", "hostname": "example.com",
			"ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
		}
		if text := texts[format]; text != "" {
			return text
		}
	}

	return strings.Repeat("a", max(1, number(flat["minLength"], 1)))
}

func number(v any, otherwise int) int {
	n, ok := v.(json.Number)
	if !ok {
		return otherwise
	}
	i, err := strconv.Atoi(n.String())
	if err != nil {
		return otherwise
	}

	return i
}

// rawVariants are texts for a parameter: valid ones and breakers of each rule.
func rawVariants(o *oracle, p oracleParam, valid string) []string {
	flat := o.flat(p.schema)
	if o.typeOf(p.schema) == "array" {
		flat = o.flat(object(flat["items"]))
	}
	list := append(textVariants(flat, valid), enumTexts(flat)...)
	for _, n := range numberVariants(flat) {
		list = append(list, n.String())
	}

	return append(list, "true", "false", "1", "0", "t", "TRUE", "null", "+1", "01", "0x1", " 1", "1 ", "[]", "NaN", "Infinity", "-")
}

// vary calls try with the body changed in one place, for every place and every
// rule that stands there. A nil schema's value is left alone.
func (o *oracle) vary(schema map[string]any, value any, field string, try func(field string, changed any)) {
	flat := o.flat(schema)
	for _, v := range o.variants(flat, o.typeOf(schema), value) {
		try(orBody(field), v)
	}
	switch value := value.(type) {
	case map[string]any:
		o.varyObject(flat, value, field, try)
	case []any:
		for i := range value {
			o.vary(object(flat["items"]), value[i], indexOf(field, i), func(f string, changed any) {
				list := slices.Clone(value)
				list[i] = changed
				try(f, list)
			})
		}
	}
}

func orBody(field string) string {
	if field == "" {
		return "body"
	}

	return field
}

func (o *oracle) varyObject(flat, value map[string]any, field string, try func(string, any)) {
	with := func(change func(map[string]any)) map[string]any {
		changed := maps.Clone(value)
		change(changed)

		return changed
	}
	try(fieldOf(field, "surprise"), with(func(m map[string]any) { m["surprise"] = "x" }))
	for _, name := range sorted(object(flat["properties"])) {
		member, there := value[name]
		if !there {
			continue
		}
		at := fieldOf(field, name)
		try(at, with(func(m map[string]any) { delete(m, name) }))
		o.vary(object(object(flat["properties"])[name]), member, at, func(f string, changed any) {
			try(f, with(func(m map[string]any) { m[name] = changed }))
		})
		// Beside the right one: a member in another letter case is another member.
		try(fieldOf(field, strings.ToUpper(name)), with(func(m map[string]any) { m[strings.ToUpper(name)] = nil }))
	}
}

// variants are values for one place, of its own type and of all others.
func (o *oracle) variants(flat map[string]any, kind string, value any) []any {
	list := []any{nil, "", "text", true, json.Number("1"), json.Number("1.5"), []any{}, []any{"x"}, map[string]any{}, map[string]any{"x": "y"}}
	switch kind {
	case "string":
		text, _ := value.(string)
		for _, v := range textVariants(flat, text) {
			list = append(list, v)
		}
	case "integer", "number":
		for _, n := range numberVariants(flat) {
			list = append(list, n)
		}
	case "array":
		list = append(list, arrayVariants(flat, value)...)
	case "object":
		list = append(list, objectVariants(flat, value)...)
	}
	enum, _ := flat["enum"].([]any)
	for _, one := range enum {
		list = append(list, one)
		if text, ok := one.(string); ok {
			list = append(list, strings.ToUpper(text), text+"x", " "+text)
		}
	}

	return list
}

func textVariants(flat map[string]any, valid string) []string {
	list := []string{valid, valid + " ", " " + valid, valid + "\n", valid + "é", valid + "!", valid + "\u007f", valid + "@", strings.ToUpper(valid),
		strings.Trim(valid, "0123456789"), "\t", " ", "😀", "null", "-", "..", "a b", "A1!aaaaa", "Aaaaaaaa!", "a1!aaaaa", "A1aaaaaaa"}
	for _, limit := range []int{number(flat["minLength"], -1), number(flat["maxLength"], -1)} {
		for _, n := range []int{limit - 1, limit, limit + 1} {
			if n < 0 || limit < 0 {
				continue
			}
			for _, unit := range []string{"a", "é", "😀", "A1!"} {
				list = append(list, resized(valid, unit, n))
			}
		}
	}

	if flat["format"] != "date-time" { // whose t and z may be refused in lower case (RFC 3339, section 5.6)
		list = append(list, strings.ToLower(valid))
	}

	return append(list, formatVariants[textOf(flat["format"])]...)
}

func textOf(v any) string { s, _ := v.(string); return s }

// resized is valid cut or filled up to n characters.
func resized(valid, unit string, n int) string {
	runes := []rune(valid)
	for len(runes) < n {
		runes = append(runes, []rune(unit)...)
	}

	return string(runes[:n])
}

var formatVariants = map[string][]string{
	"email": {
		"a@b.co", "a@b", "@example.com", "a@", "a@@example.com", "a b@example.com", "a..b@example.com", ".a@example.com", "a@-example.com",
		"a@example.123", "\"a b\"@example.com", "Ada <a@example.com>", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 65) + "@example.com",
	},
	"uuid": {
		"0198C0DE-0000-7000-8000-000000000001", "0198c0de00007000800000000000001", "0198c0de000070008000000000000001", "{0198c0de-0000-7000-8000-000000000001}",
		"urn:uuid:0198c0de-0000-7000-8000-000000000001", "0198c0de-0000-7000-8000-00000000000g", "0198c0de-0000-7000-8000-0000000000012", "00000000-0000-0000-0000-000000000000",
	},
	"date":          {"2024-02-29", "2023-02-29", "2024-13-01", "2024-1-1", "20240101", "2024-02-29T00:00:00Z"},
	"date-time":     {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.123456789+05:30", "2024-02-29 00:00:00Z", "2024-02-29T00:00:00", "2024-02-30T00:00:00Z", "2024-02-29T24:00:00Z", "2024-02-29T00:00Z"},
	"uri":           {"https://example.com", "mailto:a@example.com", "example.com", "/a", "http://[::1", "https://example.com/a b"},
	"uri-reference": {"/a", "a?b#c", "//example.com", "a b", "http://[::1"},
	"hostname":      {"a.b", "a", "-a.b", "a-.b", "a..b", "a_b"},
	"ipv4":          {"192.0.2.256", "192.0.2", "::1", "192.0.2.1.1"},
	"ipv6":          {"::1", "::g", "192.0.2.1", "1::2::3"},
}

func numberVariants(flat map[string]any) []json.Number {
	list := []json.Number{"0", "-0", "1", "-1", "1.0", "1.5", "1e2", "10e-1", "2147483647", "2147483648", "-2147483649", "99999999999999999999", "0.1", "0.3", "0.25"}
	if flat["type"] == "integer" { // a number of this size is JSON, but no float64
		list = append(list, "1E400")
	}
	for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} {
		limit, ok := flat[key].(json.Number)
		if !ok {
			continue
		}
		list = append(list, limit)
		if n, err := strconv.Atoi(limit.String()); err == nil {
			for _, step := range []int{n - 1, n + 1, 2 * n, 2*n + 1} {
				list = append(list, json.Number(strconv.Itoa(step)))
			}
			list = append(list, json.Number(strconv.Itoa(n)+".5"), json.Number(strconv.Itoa(n)+".0"))
		}
	}

	return list
}

func arrayVariants(flat map[string]any, value any) []any {
	items, _ := value.([]any)
	var list []any
	for _, limit := range []int{number(flat["minItems"], -1), number(flat["maxItems"], -1)} {
		for _, n := range []int{limit - 1, limit, limit + 1} {
			if n < 0 || limit < 0 || len(items) == 0 {
				continue
			}
			long := make([]any, n)
			for i := range long {
				long[i] = items[i%len(items)]
				if text, ok := long[i].(string); ok && i >= len(items) {
					long[i] = text + strings.Repeat("b", i) // distinct, for uniqueItems
				}
			}
			list = append(list, long)
		}
	}

	return append(list, append(slices.Clone(items), items...))
}

func objectVariants(flat map[string]any, value any) []any {
	members := object(value)
	var list []any
	for _, limit := range []int{number(flat["minProperties"], -1), number(flat["maxProperties"], -1)} {
		for _, n := range []int{limit - 1, limit, limit + 1} {
			if n < 0 || limit < 0 {
				continue
			}
			changed := map[string]any{}
			for _, name := range sorted(members) {
				if len(changed) < n {
					changed[name] = members[name]
				}
			}
			for i := 0; len(changed) < n; i++ {
				changed["extra"+strconv.Itoa(i)] = "x"
			}
			list = append(list, changed)
		}
	}

	return list
}
