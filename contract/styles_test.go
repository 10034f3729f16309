package contract_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/contract"
)

// stylesDocument writes lists and objects in each way that a query has for them.
const stylesDocument = `
openapi: 3.1.0
info: {title: Styles, version: '1'}
paths:
  /a:
    get:
      operationId: get
      parameters:
        - {name: form, in: query, schema: {$ref: '#/components/schemas/Words'}}
        - {name: commas, in: query, explode: false, schema: {$ref: '#/components/schemas/Words'}}
        - {name: spaces, in: query, style: spaceDelimited, explode: false, schema: {$ref: '#/components/schemas/Words'}}
        - {name: pipes, in: query, style: pipeDelimited, schema: {$ref: '#/components/schemas/Words'}}
        - {name: piped, in: query, style: pipeDelimited, explode: true, schema: {$ref: '#/components/schemas/Words'}}
        - name: filter
          in: query
          style: deepObject
          schema:
            type: object
            required: [size]
            additionalProperties: false
            properties:
              size: {type: integer, minimum: 1, maximum: 9}
              color: {type: string, enum: [red, dark blue]}
      responses:
        '200':
          description: It.
          headers:
            X-Words: {required: true, schema: {$ref: '#/components/schemas/Words'}}
            X-Sizes: {required: true, schema: {type: array, items: {type: integer, maximum: 5}}}
            X-Pair: {required: true, schema: {type: object, required: [a], properties: {a: {type: integer}}}}
            X-Named: {required: true, explode: true, schema: {type: object, required: [a], properties: {a: {type: integer}}}}
        '400': {description: No.}
components:
  schemas:
    Words: {type: array, minItems: 2, maxItems: 3, items: {type: string, enum: [one, two, three]}}
`

func validWords(words []string) bool {
	return len(words) >= 2 && len(words) <= 3 && !slices.ContainsFunc(words, func(word string) bool { return !slices.Contains([]string{"one", "two", "three"}, word) })
}

func validFilter(query url.Values) bool {
	size, there := "", false
	for key, values := range query {
		name, ok := strings.CutPrefix(key, "filter")
		switch {
		case !ok:
			continue
		case name == "[size]":
			size = values[0]
		case name != "[color]" || values[0] != "red" && values[0] != "dark blue":
			return false
		}
		there = true
	}
	return !there || len(size) == 1 && size >= "1" && size <= "9"
}

// styled answers as the document says, but for the parameter or header in which it is wrong.
func styled(wrong string) http.HandlerFunc {
	return onlyGet(func(w http.ResponseWriter, r *http.Request) {
		query, good := r.URL.Query(), true
		for name, delimiter := range map[string]string{"form": "", "commas": ",", "spaces": " ", "pipes": "|", "piped": ""} {
			words := query[name]
			if delimiter != "" && query.Has(name) {
				words = strings.Split(query.Get(name), delimiter)
			}
			if query.Has(name) && !validWords(words) && name != wrong {
				good = false
			}
		}
		if !good || !validFilter(query) && wrong != "filter" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for name, values := range map[string][2]string{
			"X-Words": {"one, two", "one"}, "X-Sizes": {"1,5", "1,6"}, "X-Pair": {"a,1", "b,1"}, "X-Named": {"a=1", "a=x"},
		} {
			w.Header().Set(name, values[0])
			if name == wrong {
				w.Header().Set(name, values[1])
			}
		}
	})
}

func TestStyles(t *testing.T) {
	t.Parallel()
	const words = "components/schemas/Words/"
	for wrong, wants := range map[string][]string{
		"":        {", 0 of them failed, 0 skipped"},
		"form":    {words + "minItems", words + "maxItems", words + "items/enum"},
		"commas":  {words + "minItems", words + "maxItems", words + "items/enum"},
		"spaces":  {words + "minItems", words + "maxItems", words + "items/enum"},
		"pipes":   {words + "minItems", words + "maxItems", words + "items/enum"},
		"piped":   {words + "minItems", words + "maxItems", words + "items/enum"},
		"filter":  {"schema/required/0", "schema/additionalProperties", "properties/size/minimum", "properties/size/maximum", "properties/size/type", "properties/color/enum"},
		"X-Words": {"the header X-Words of a 200: one: minItems"},
		"X-Sizes": {"the header X-Sizes of a 200: 1,6: maximum"},
		"X-Pair":  {"the header X-Pair of a 200: b,1: missing property 'a'"},
		"X-Named": {"the header X-Named of a 200: a=x: got string"},
	} {
		t.Run(wrong, func(t *testing.T) {
			t.Parallel()
			report := held(t, stylesDocument, contract.Target{}, styled(wrong))
			for _, want := range wants {
				if !strings.Contains(report, want) {
					t.Errorf("want %q, got\n%s", want, report)
				}
			}
			if strings.Contains(report, "not tried") {
				t.Error(report)
			}
		})
	}
}

// The parts of a path in each style are as RFC 6570 has them: no other form is taken.
func TestStylesOfPaths(t *testing.T) {
	t.Parallel()
	const words = "(one|two|three)"
	for style, want := range map[string]string{
		"{name: v, in: path, required: true, style: label, schema: {$ref: '#/components/schemas/Size'}}":                  `\.[1-9]`,
		"{name: v, in: path, required: true, style: matrix, schema: {$ref: '#/components/schemas/Size'}}":                 `;v=[1-9]`,
		"{name: v, in: path, required: true, style: label, schema: {$ref: '#/components/schemas/Words'}}":                 `\.` + words + `(,` + words + `){1,2}`,
		"{name: v, in: path, required: true, style: label, explode: true, schema: {$ref: '#/components/schemas/Words'}}":  `(\.` + words + `){2,3}`,
		"{name: v, in: path, required: true, style: matrix, schema: {$ref: '#/components/schemas/Words'}}":                `;v=` + words + `(,` + words + `){1,2}`,
		"{name: v, in: path, required: true, style: matrix, explode: true, schema: {$ref: '#/components/schemas/Words'}}": `(;v=` + words + `){2,3}`,
		"{name: v, in: path, required: true, style: label, schema: {$ref: '#/components/schemas/Pair'}}":                  `\.a,[1-9]`,
		"{name: v, in: path, required: true, style: matrix, explode: true, schema: {$ref: '#/components/schemas/Pair'}}":  `;a=[1-9]`,
	} {
		right := regexp.MustCompile("^/a/" + want + "$")
		taken := 0
		report := held(t, `
openapi: 3.1.0
paths:
  /a/{v}:
    get:
      operationId: get
      parameters:
        - `+style+`
      responses:
        '204': {description: It.}
        '400': {description: No.}
components:
  schemas:
    Size: {type: integer, minimum: 1, maximum: 9}
    Words: {type: array, minItems: 2, maxItems: 3, items: {type: string, enum: [one, two, three]}}
    Pair: {type: object, required: [a], additionalProperties: false, properties: {a: {type: integer, minimum: 1, maximum: 9}}}
`, contract.Target{Parallel: 1}, onlyGet(func(w http.ResponseWriter, r *http.Request) {
			if path, err := url.PathUnescape(r.URL.EscapedPath()); err != nil || !right.MatchString(path) {
				answer(w, http.StatusBadRequest, `{}`)
				return
			}
			taken++
			w.WriteHeader(http.StatusNoContent)
		}))
		if strings.Contains(report, "FAILED") || taken == 0 {
			t.Errorf("%s: %d taken: %s", style, taken, report)
		}
	}
}
