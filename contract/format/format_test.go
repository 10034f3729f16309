package format_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/accord-api/accord/contract/format"
)

// names are the formats that the package must know, and whether the library
// that judges them speaks of them as a format of strings.
var names = map[string]bool{
	"uuid": true, "date": true, "time": true, "date-time": true, "duration": true,
	"email": true, "hostname": true, "ipv4": true, "ipv6": true, "uri": true,
	"uri-reference": true, "regex": true, "json-pointer": true, "byte": true,
	"int32": false, "int64": false, "float": false, "double": false, "password": false, "binary": false,
}

func schemaOf(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.AssertContent()
	rule := map[string]any{"type": "string", "format": name}
	if name == "byte" { // what OpenAPI 3.1 says instead of it
		compiler.DefaultDraft(jsonschema.Draft7)
		rule = map[string]any{"type": "string", "contentEncoding": "base64"}
	}
	if err := compiler.AddResource("schema.json", rule); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestValid(t *testing.T) {
	t.Parallel()
	for name := range names {
		schema, seen := schemaOf(t, name), map[string]bool{}
		for seed := range uint64(500) {
			s, ok := format.Valid(name, seed)
			if !ok || !format.Known(name) {
				t.Fatalf("%s is not known", name)
			}
			if err := schema.Validate(s); err != nil {
				t.Errorf("%s: %q: %v", name, s, err)
			}
			again, _ := format.Valid(name, seed)
			if again != s {
				t.Errorf("%s: %q and %q for one seed", name, s, again)
			}
			seen[s] = true
		}
		if len(seen) < 240 {
			t.Errorf("%s: only %d different values of 500", name, len(seen))
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		for name, bits := range map[string]int{"int32": 32, "int64": 64} {
			s, _ := format.Valid(name, seed)
			if _, err := strconv.ParseInt(s, 10, bits); err != nil {
				t.Error(err)
			}
		}
		for name, bits := range map[string]int{"float": 32, "double": 64} {
			s, _ := format.Valid(name, seed)
			if _, err := strconv.ParseFloat(s, bits); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	for name, judged := range names {
		wrong := format.Invalid(name)
		if judged == (len(wrong) == 0) {
			t.Errorf("%s has %d near misses", name, len(wrong))
		}
		schema, seen := schemaOf(t, name), map[string]bool{}
		for _, s := range wrong {
			if schema.Validate(s) == nil {
				t.Errorf("%s: %q is valid", name, s)
			}
			if seen[s] {
				t.Errorf("%s: %q twice", name, s)
			}
			seen[s] = true
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "UUID", "colour", "idn-email"} {
		if s, ok := format.Valid(name, 1); ok || format.Known(name) || format.Invalid(name) != nil {
			t.Errorf("%q is known: %s", name, s)
		}
	}
}

func ExampleValid() {
	s, ok := format.Valid("date", 1)
	fmt.Println(len(s), ok)
	// Output: 10 true
}
