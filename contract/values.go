package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/accord-api/accord/contract/format"
	"github.com/accord-api/accord/contract/pattern"
)

// The longest text, list and number that cases are made of where a document sets
// no limit, or one that no request could reach.
const (
	maxText  = 20_000
	maxItems = 2_000
	maxBytes = 64 << 20 // of a file
)

// Words that members and values have which no document declares.
const (
	unknownName = "x_undeclared"
	unknownText = "undeclared"
)

// maker makes values for the schemas of one document.
type maker struct {
	*Document
	schemas *schemas // as requests are held to them
	answers *schemas
	known   *known
	// change is the part in which the document differs from the one that known is
	// of; "" for none.
	change string
	// plain leaves out what is found by trying values, which a search for one is itself.
	plain bool
	// inside names the objects that what is made is in.
	inside []string
}

// parts names an object by where its members are described, wherever it is referred to.
func (s shape) parts() (pointers []string) {
	for _, r := range s.all("properties") {
		pointers = append(pointers, r.pointer)
	}
	return pointers
}

// nested is how often what a schema describes is inside itself already. One in itself has
// no more than it must, so that what a schema that refers to itself describes has an end.
func (m maker) nested(pointer string) int {
	if len(m.inside) == 0 {
		return 0
	}
	most := 0
	for _, part := range m.shape(pointer).parts() {
		n := 0
		for _, outer := range m.inside {
			if outer == part {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// in is a maker of what is in an object.
func (m maker) in(s shape) maker {
	m.inside = append(slices.Clip(m.inside), s.parts()...)
	return m
}

// maxNested is how often an object is made in itself.
const maxNested = 2

// base makes a valid value: the example where there is one, else as small as it
// can be. With all, optional members are there as well. It is nil, and not an
// error, for a schema that nothing can be made for.
func (m maker) base(pointer string, all bool, depth int) any {
	s := m.shape(pointer)
	if depth > 20 {
		return nil
	}
	return m.settled(s, m.made(s, all, depth), depth)
}

func (m maker) made(s shape, all bool, depth int) any {
	if isJoined(s.pointer) {
		if value, ok := m.listed(s); ok {
			return value
		}
		return m.ofKind(s, all, depth)
	}
	for _, said := range []string{"const", "example", "default"} {
		if r, ok := s.rule(said); ok && (said != "example" || !all || s.kind() != "object") {
			return m.asked(s.pointer, r.value)
		}
	}
	for _, listed := range []string{"examples", "enum"} {
		if r, ok := s.rule(listed); ok {
			if values, ok := r.value.([]any); ok && len(values) > 0 {
				return m.asked(s.pointer, values[0])
			}
		}
	}
	if made, ok := m.baseCalled(s, all, depth); ok {
		return made
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		if r, ok := s.rule(keyword); ok && s.kind() != "object" {
			return m.one(r.pointer).base(m.ending(r), all, depth+1)
		}
	}
	return m.ofKind(s, all, depth)
}

// ending is the first alternative, or where these are in one of them already, the first
// that does not lead to them again, if there is any.
func (m maker) ending(r rule) string {
	var branches []string
	for i := range list(r.value) {
		branches = append(branches, fmt.Sprintf("%s/%d", r.pointer, i))
	}
	return m.endingOf(r.pointer, branches)
}

// endingOf is ending with the schemas of the alternatives at a pointer.
func (m maker) endingOf(pointer string, branches []string) string {
	if m.among(pointer) {
		for _, branch := range branches {
			if !slices.ContainsFunc(m.reached(branch), func(reached string) bool { return within(pointer, reached) }) {
				return branch
			}
		}
	}
	return branches[0]
}

// among says that what is made is in one of the alternatives at a pointer already. Such
// are not tried once more in each other: a schema that refers to itself has no end of them.
func (m maker) among(pointer string) bool {
	return slices.ContainsFunc(m.inside, func(outer string) bool { return within(outer, pointer) })
}

// one is a maker of one of the alternatives at a pointer.
func (m maker) one(pointer string) maker {
	m.inside = append(slices.Clip(m.inside), pointer)
	return m
}

// ofKind makes a value of the type that a schema says.
func (m maker) ofKind(s shape, all bool, depth int) any {
	switch s.kind() {
	case "object":
		return m.baseObject(s, all, depth)
	case "array":
		return m.baseList(s, all, depth)
	case "integer", "number":
		return m.numbered(s)
	case "boolean":
		return true
	case "string":
		return m.baseText(s)
	}
	return nil
}

func (m maker) baseObject(s shape, all bool, depth int) any {
	object := map[string]any{}
	n := m.nested(s.pointer)
	if n > maxNested {
		return nil
	}
	all, m = all && n == 0, m.in(s)
	if r, ok := s.rule("example"); ok {
		if example, ok := m.asked(s.pointer, r.value).(map[string]any); ok {
			maps.Copy(object, example)
		}
	}
	for _, member := range m.members(s) {
		if m.never(member.pointer) {
			continue
		}
		if _, there := object[member.name]; !there && (all || member.required != nil) && !m.readOnly(member.pointer) {
			object[member.name] = m.base(member.pointer, all, depth+1)
		}
	}
	return object
}

func (m maker) baseList(s shape, all bool, depth int) any {
	n := max(1, s.count("minItems", 0))
	if c := s.containers(); len(c) > 0 {
		return m.containing(s, c[0], max(n, c[0].least), depth)
	}
	made, items := m.first(s, all, depth), s.itemsOf()
	if items == "" || s.count("minItems", 0) == 0 && m.nested(items) >= maxNested {
		return made
	}
	for i := range n - len(made) {
		made = append(made, m.item(items, m.base(items, all, depth+1), i))
	}
	return made
}

// item is a value like another one; where it can be, it differs for each i.
func (m maker) item(pointer string, like any, i int) any {
	if i == 0 {
		return like
	}
	s := m.shape(pointer)
	switch like := like.(type) {
	case string:
		if r, ok := s.rule("enum"); ok {
			values, _ := r.value.([]any)
			return values[i%len(values)]
		}
		if text, ok := m.text(s, utf8.RuneCountInString(like), uint64(i)); ok { //nolint:gosec // it counts up from 0
			return text
		}
	case json.Number:
		return add(like, int64(i))
	case map[string]any:
		for _, member := range m.members(s) {
			if value, ok := like[member.name].(string); ok {
				return withMember(like, member.name, m.item(member.pointer, value, i))
			}
		}
	}
	return like
}

// numbered is a number, one of several limits' where the first one's is not taken.
func (m maker) numbered(s shape) any {
	first := m.baseNumber(s)
	if !isJoined(s.pointer) || len(m.schemas.broken(s.pointer, first)) == 0 {
		return first
	}
	for _, r := range s.rules {
		if inward, limit := map[string]int64{"minimum": 0, "maximum": 0, "exclusiveMinimum": 1, "exclusiveMaximum": -1}[r.keyword]; limit {
			if number := stepped(s, r.value, inward); len(m.schemas.broken(s.pointer, number)) == 0 {
				return number
			}
		}
	}
	return first
}

func (m maker) baseNumber(s shape) any {
	if r, ok := s.rule("multipleOf"); ok {
		return multiple(s, r.value)
	}
	for _, keyword := range []string{"minimum", "maximum"} {
		if r, ok := s.rule(keyword); ok {
			return add(r.value, 0) // 5 where 5.0 is written
		}
	}
	if r, ok := s.rule("exclusiveMinimum"); ok {
		return add(r.value, 1)
	}
	return json.Number("1")
}

// outside says that a number is beyond the limits of a schema.
func (s shape) outside(number json.Number) bool {
	value, ok := new(big.Rat).SetString(number.String())
	for _, r := range s.rules {
		limit, said := new(big.Rat).SetString(fmt.Sprint(r.value))
		if !ok || !said {
			continue
		}
		switch by := value.Cmp(limit); {
		case by < 0 && strings.HasSuffix(r.keyword, "inimum"), by > 0 && strings.HasSuffix(r.keyword, "aximum"),
			by == 0 && strings.HasPrefix(r.keyword, "exclusive"):
			return true
		}
	}
	return false
}

// multiple is the smallest multiple of a number that is not below the minimum of a
// schema, the largest not above its maximum where it has no minimum, else the number.
func multiple(s shape, of any) any {
	step, ok := new(big.Rat).SetString(fmt.Sprint(of))
	if !ok || step.Sign() <= 0 {
		return of
	}
	for _, keyword := range []string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"} {
		r, said := s.rule(keyword)
		limit, ok := new(big.Rat).SetString(fmt.Sprint(r.value))
		if !said || !ok {
			continue
		}
		times := new(big.Rat).Quo(limit, step)
		whole := new(big.Int).Div(times.Num(), times.Denom()) // rounded down
		up := strings.HasSuffix(keyword, "inimum")
		exact := times.IsInt()
		switch {
		case up && (!exact || keyword == "exclusiveMinimum"):
			whole.Add(whole, big.NewInt(1))
		case !up && exact && keyword == "exclusiveMaximum":
			whole.Sub(whole, big.NewInt(1))
		}
		return added("0", step.Mul(step, new(big.Rat).SetInt(whole)))
	}
	return of
}

func (m maker) baseText(s shape) any {
	least, most := s.count("minLength", 0), s.count("maxLength", maxText)
	for n := max(least, min(8, most)); n <= most && n <= max(least, 8)+64; n++ {
		if text, ok := m.text(s, n, 0); ok {
			return text
		}
	}
	for n := min(8, most); n >= least; n-- {
		if text, ok := m.text(s, n, 0); ok {
			return text
		}
	}
	if text, ok := format.Valid(s.format(), 0); ok {
		return text
	}
	return "text"
}

// text makes a valid one of n characters, another one for each seed as far as
// there are others; false where it finds none.
func (m maker) text(s shape, n int, seed uint64) (string, bool) {
	for _, r := range s.all("pattern") {
		if p := s.pattern(r); p != nil && !p.Has(n) {
			return "", false
		}
	}
	for _, candidate := range m.candidates(s, n, seed) {
		if utf8.RuneCountInString(candidate) != n {
			continue
		}
		if broken, err := m.schemas.breaches(s.pointer, candidate); err == nil && len(broken) == 0 {
			return candidate, true
		}
	}
	return "", false
}

// candidates are texts of which some may be valid.
func (m maker) candidates(s shape, n int, seed uint64) (list []string) {
	for _, r := range s.all("pattern") {
		if p := s.pattern(r); p != nil {
			if text, ok := p.Make(n, seed); ok {
				list = append(list, text)
			}
		}
	}
	name := s.format()
	if text, ok := format.Valid(name, seed); ok {
		list = append(list, text, stretched(name, text, n))
	}
	for _, keyword := range []string{"example", "examples", "default"} {
		r, ok := s.rule(keyword)
		if values, several := r.value.([]any); several && len(values) > 0 {
			r.value = values[0]
		}
		if text, is := r.value.(string); ok && is && text != "" {
			list = append(list, fill(text, n, seed), cycle(text, n))
		}
	}
	return append(list, fill("abcdefgh", n, seed), cycle("Aa1!", n))
}

// patterns are those that were read, by expression and lengths: what they make is
// worth keeping.
var patterns sync.Map

// pattern reads one of a schema within its lengths; nil where it cannot be read.
func (s shape) pattern(r rule) *pattern.Pattern {
	expr, _ := r.value.(string)
	return parsed(expr, s.count("minLength", -1), s.count("maxLength", -1))
}

func parsed(expr string, least, most int) *pattern.Pattern {
	key := fmt.Sprintf("%d %d %s", least, most, expr)
	if p, known := patterns.Load(key); known {
		return p.(*pattern.Pattern)
	}
	p, err := pattern.Parse(expr)
	if err != nil {
		return nil
	}
	p = p.Within(least, most)
	patterns.Store(key, p)
	return p
}

// stretched makes a text of a format longer, where one knows how.
func stretched(name, text string, n int) string {
	missing := n - utf8.RuneCountInString(text)
	if missing <= 0 {
		return text
	}
	switch name {
	case "email", "idn-email":
		local, domain, _ := strings.Cut(text, "@")
		more := min(missing, 64-len(local))
		local, missing = local+strings.Repeat("a", max(0, more)), missing-max(0, more)
		for missing > 0 { // labels of at most 63
			label := min(missing-1, 60)
			if label < 1 {
				domain, missing = "a"+domain, missing-1
				continue
			}
			domain, missing = strings.Repeat("a", label)+"."+domain, missing-label-1
		}
		return local + "@" + domain
	case "uri", "uri-reference", "iri":
		if !strings.HasSuffix(text, "/") {
			text, missing = text+"/", missing-1
		}
		return text + strings.Repeat("a", max(0, missing))
	}
	return text
}

const seedDigits = "abcdefghijkmnpqrstuvwxyz23456789"

// fill is a text of n characters that begins as another one does and ends in
// what is the seed's own.
func fill(text string, n int, seed uint64) string {
	runes := []rune(cycle(text, n))
	for i := len(runes) - 1; i > 0 && seed > 0; i-- {
		runes[i] = rune(seedDigits[seed%uint64(len(seedDigits))])
		seed /= uint64(len(seedDigits))
	}
	return string(runes)
}

func cycle(text string, n int) string {
	runes := []rune(text)
	if n <= len(runes) {
		return string(runes[:max(n, 0)])
	}
	more := make([]rune, 0, n)
	for len(more) < n {
		more = append(more, runes[len(more)%len(runes)])
	}
	return string(more)
}

// count is a limit that counts something, the tightest of several, or what is meant
// where there is none.
func (s shape) count(keyword string, otherwise int) int {
	limit, said := otherwise, false
	for _, r := range s.all(keyword) {
		number, _ := r.value.(json.Number)
		n, err := number.Int64()
		if err != nil || n < 0 || n > 1<<31 {
			continue
		}
		if tighter := strings.HasPrefix(keyword, "min") == (int(n) > limit); !said || tighter {
			limit, said = int(n), true
		}
	}
	return limit
}

// between is a number halfway from one to what lies a step further.
func between(number, step any) json.Number {
	size, ok := new(big.Rat).SetString(fmt.Sprint(step))
	if !ok {
		return half(number)
	}
	return added(number, size.Mul(size, big.NewRat(1, 2)))
}

// half is a number a half larger.
func half(number any) json.Number {
	value, ok := new(big.Rat).SetString(fmt.Sprint(number))
	if !ok {
		return json.Number("0.5")
	}
	return json.Number(value.Add(value, big.NewRat(1, 2)).FloatString(1))
}

// stepped gives a number that is some of the smallest steps of a schema larger: its
// multipleOf, else 1 of integers and a hundredth of other numbers, which is as fine as
// amounts of money are kept.
func stepped(s shape, number any, steps int64) json.Number {
	size := big.NewRat(1, 1)
	if s.kind() == "number" {
		size = big.NewRat(1, 100)
	}
	if r, ok := s.rule("multipleOf"); ok {
		if of, ok := new(big.Rat).SetString(fmt.Sprint(r.value)); ok {
			size = of
		}
	}
	return added(number, size.Mul(size, new(big.Rat).SetInt64(steps)))
}

// add gives a number that is larger by an integer, exactly.
func add(number any, n int64) json.Number {
	text := fmt.Sprint(number)
	if whole, ok := new(big.Int).SetString(text, 10); ok {
		return json.Number(whole.Add(whole, big.NewInt(n)).String())
	}
	return added(text, new(big.Rat).SetInt64(n))
}

func added(number any, by *big.Rat) json.Number {
	text := fmt.Sprint(number)
	value, ok := new(big.Rat).SetString(text)
	if !ok {
		return json.Number(text)
	}
	value.Add(value, by)
	if value.IsInt() {
		return json.Number(value.Num().String())
	}
	return json.Number(strings.TrimRight(value.FloatString(9), "0"))
}
