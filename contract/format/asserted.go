package format

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Asserted are those of OpenAPI's registry that JSON Schema does not know, as far as
// they are rules: https://spec.openapis.org/registry/format/.
var Asserted = []*jsonschema.Format{
	{Name: "int32", Validate: func(v any) error { return Integer("int32", v) }},
	{Name: "int64", Validate: func(v any) error { return Integer("int64", v) }},
	{Name: "byte", Validate: func(v any) error {
		if text, ok := v.(string); ok {
			_, err := base64.StdEncoding.DecodeString(text)
			return err
		}
		return nil
	}},
}

// integers are the smallest and the largest number of each.
var integers = map[string][2]int64{
	"int32": {math.MinInt32, math.MaxInt32},
	"int64": {math.MinInt64, math.MaxInt64},
}

// Integer says what keeps a number, as a JSON decoder gives it, from being one of a
// format of integers. Other values and formats are not its affair.
func Integer(format string, v any) error {
	number, ok := v.(json.Number)
	span, known := integers[format]
	if !ok || !known {
		return nil
	}
	value, ok := new(big.Rat).SetString(number.String())
	if !ok || value.Cmp(new(big.Rat).SetInt64(span[0])) < 0 || value.Cmp(new(big.Rat).SetInt64(span[1])) > 0 {
		return fmt.Errorf("%s is no %s", number, format)
	}
	return nil
}
