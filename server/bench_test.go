package server

import (
	"encoding/json"
	"testing"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/validate"
)

var registerBody = []byte(`{"email":"ada@example.com","username":"ada_lovelace","password":"Analytical-1843","full_name":"Ada Lovelace"}`)

// maxValidationAllocs is what validation may allocate beside decoding.
const maxValidationAllocs = 10

func decodeOnly() error {
	var body api.UserCreate

	return json.Unmarshal(registerBody, &body)
}

func decodeAndValidate() error {
	var body api.UserCreate
	found, err := validate.JSON(registerBody, &body)
	if err != nil {
		return err
	}
	if found = validate.Merge(found, api.RegisterUserRequestObject{Body: &body}.Validate()); len(found) > 0 {
		return found
	}

	return nil
}

//nolint:paralleltest // AllocsPerRun counts what other goroutines allocate as well
func TestValidationAllocates(t *testing.T) {
	if err := decodeAndValidate(); err != nil {
		t.Fatal(err)
	}
	alone := testing.AllocsPerRun(100, func() { _ = decodeOnly() })
	both := testing.AllocsPerRun(100, func() { _ = decodeAndValidate() })
	t.Logf("decode %v allocations, decode and validate %v", alone, both)
	if both-alone > maxValidationAllocs {
		t.Errorf("validation allocates %v times, want at most %d", both-alone, maxValidationAllocs)
	}
}

func BenchmarkRegisterBody(b *testing.B) {
	for name, run := range map[string]func() error{"decode": decodeOnly, "decode+validate": decodeAndValidate} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
