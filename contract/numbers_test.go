package contract_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// numbersDocument has the rules that there are about numbers.
const numbersDocument = `
openapi: 3.1.0
info: {title: Numbers, version: '1'}
x-policy: {rate-limit: [{limit: 9, window: 1m, by: ip}]}
paths:
  /amounts:
    post:
      operationId: sum
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [price, pieces, count]
              properties:
                price: {type: number, minimum: 0.5, maximum: 9.99}
                pieces: {type: integer, minimum: 5, maximum: 23, multipleOf: 3}
                count: {type: integer, format: int32}
      responses:
        '200':
          description: The sum.
          headers:
            RateLimit-Policy: {schema: {type: string}}
          content:
            application/json:
              schema:
                type: object
                additionalProperties: false
                required: [total, number, raw]
                properties: {total: {type: integer, format: int64}, number: {type: integer, format: int32}, raw: {type: string, format: byte}}
        '400': {$ref: '#/components/responses/Refused'}
        '405': {$ref: '#/components/responses/Refused'}
        '413': {$ref: '#/components/responses/Refused'}
        '415': {$ref: '#/components/responses/Refused'}
        '429': {$ref: '#/components/responses/Refused'}
        '422': {$ref: '#/components/responses/Refused'}
        default: {$ref: '#/components/responses/Refused'}
components:
  responses:
    Refused:
      description: It was refused.
      content:
        application/problem+json:
          schema: {type: object, required: [detail], additionalProperties: false, properties: {detail: {type: string}}}
`

// numbersServer keeps the document but for one flaw. Its limit is another affair.
func numbersServer(t *testing.T, flaw string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, "POST only")
			return
		}
		if r.Header.Get("Content-Type") != "application/json" {
			refuse(w, http.StatusUnsupportedMediaType, "JSON only")
			return
		}
		var body struct{ Price, Pieces, Count json.RawMessage }
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&body); err != nil {
			refuse(w, http.StatusBadRequest, "price, pieces, count: "+err.Error())
			return
		}
		least, most, times := "0.5", int64(23), int64(3)
		switch flaw {
		case "a price a hundredth lower":
			least = "0.49"
		case "pieces up to the next multiple":
			most = 24
		case "any number of pieces":
			times = 1
		}
		pieces, err := strconv.ParseInt(string(body.Pieces), 10, 64)
		if !between(string(body.Price), least, "9.99") || err != nil || pieces < 5 || pieces > most || pieces%times != 0 {
			refuse(w, http.StatusUnprocessableEntity, "price or pieces")
			return
		}
		count, isInteger := new(big.Int).SetString(string(body.Count), 10)
		if !isInteger || flaw != "a count of any size" && !between(count.String(), "-2147483648", "2147483647") {
			refuse(w, http.StatusUnprocessableEntity, "count")
			return
		}
		answer := map[string]any{"total": json.Number("7"), "number": 1, "raw": "AAE="}
		switch flaw {
		case "a total beyond int64":
			answer["total"] = json.Number("9223372036854775808")
		case "a number beyond int32":
			answer["number"] = json.Number("2147483648")
		case "no base64":
			answer["raw"] = "?"
		}
		told := `"ip";q=9;w=60`
		if flaw == "another window is told" {
			told = `"ip";q=9;w=61`
		}
		w.Header().Set("RateLimit-Policy", told)
		send(w, "application/json", http.StatusOK, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func between(number, least, most string) bool {
	value, ok := new(big.Rat).SetString(number)
	low, _ := new(big.Rat).SetString(least)
	high, _ := new(big.Rat).SetString(most)
	return ok && value.Cmp(low) >= 0 && value.Cmp(high) <= 0
}

func TestRulesAboutNumbers(t *testing.T) {
	t.Parallel()
	const body = "/paths/~1amounts/post/requestBody/content/application~1json/schema/properties"
	const answer = "/paths/~1amounts/post/responses/200/content/application~1json/schema/properties"
	for flaw, pointer := range map[string]string{
		"":                               "",
		"a price a hundredth lower":      body + "/price/minimum",
		"pieces up to the next multiple": body + "/pieces/maximum",
		"any number of pieces":           body + "/pieces/multipleOf",
		"a count of any size":            body + "/count/format",
		"a total beyond int64":           answer + "/total/format",
		"a number beyond int32":          answer + "/number/format",
		"no base64":                      answer + "/raw/format",
		"another window is told":         "/x-policy/rate-limit",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			d, err := contract.Parse("numbers.yaml", []byte(numbersDocument))
			if err != nil {
				t.Fatal(err)
			}
			result, err := contract.Run(t.Context(), d, contract.Target{URL: numbersServer(t, flaw), ClientIPHeader: "X-Forwarded-For"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, o := range result.Failed() {
				if strings.Contains(o.Name, "9 requests") {
					continue // this server has no limit
				}
				for _, f := range o.Failures {
					if !slices.Contains(told, f.Pointer) {
						told = append(told, f.Pointer)
					}
					if pointer == "" || !strings.HasPrefix(f.Pointer, pointer) {
						t.Errorf("%s: %s (%s)", o.Name, f.Text, f.Pointer)
					}
				}
			}
			if pointer != "" && !slices.Contains(told, pointer) {
				t.Errorf("%s was not found: %s", flaw, fmt.Sprint(told))
			}
		})
	}
}
