package validate

// maxDepth is how deep arrays and objects may stand in one another.
const maxDepth = 32

// Kind is the JSON type of a value.
type Kind uint8

// The kinds. Any takes every value, and is how undeclared members are read.
const (
	Any Kind = iota
	Object
	Array
	String
	Integer
	Number
	Boolean
)

// Format is a format that decoding depends on: a value that breaks it could
// not be held by the Go type.
type Format uint8

// The formats that decoding depends on.
const (
	NoFormat Format = iota
	UUID
	Date
	DateTime
)

// Shape is what a decoded Go type can no longer tell about its JSON: which
// members were there, which were null, of which type they were.
type Shape struct {
	Kind     Kind
	Nullable bool
	// Members of an object, in the document's order; at most 64.
	Members []Member
	// Closed objects have no other members (additionalProperties: false).
	Closed bool
	// MinMembers and MaxMembers bound the members of an object; MaxMembers 0 means no bound.
	MinMembers, MaxMembers int
	// Items of an array.
	Items *Shape
	// Format of a string.
	Format Format
	// Bits of the Go type of an Integer: 32 or 64.
	Bits int
}

// Member is a declared member of an object.
type Member struct {
	Name     string
	Required bool
	Shape    *Shape
}

// Shaped is a request body that knows the shape of its JSON; generated code
// declares it on each body type.
type Shaped interface{ Shape() *Shape }

// find returns the index of the member with this name, or -1. Members mostly
// come in the document's order, so the search starts behind the last one found.
func (s *Shape) find(name []byte, from int) int {
	for i := range s.Members {
		at := from + i
		if at >= len(s.Members) {
			at -= len(s.Members)
		}
		if s.Members[at].Name == string(name) {
			return at
		}
	}

	return -1
}

// article names what a value of this kind is, for messages.
func (s *Shape) article() string {
	switch {
	case s.Format == UUID:
		return "a UUID in a string"
	case s.Format == Date:
		return "a date in a string"
	case s.Format == DateTime:
		return "a date and time in a string"
	}

	return [...]string{"a value", "an object", "an array", "a string", "a whole number", "a number", "true or false"}[s.Kind]
}
