package server_test

import (
	"maps"

	"github.com/accord-api/accord/servertest"
)

// noun is what the tests of all tables and of all lists have to know of those of one
// noun. It stands beside the noun's own tests, and goes with them.
type noun struct {
	// seeded fills every table that grows, far enough that reading all of it is
	// never the best plan.
	seeded []string
	// worn is what a table that has been in use for long differs in.
	worn []string
	// newer adds one row to each list of a user, and to those of all, newer than any
	// that is there; where it says nothing of a table, makers do.
	newer []string
	// many adds so many rows to the lists of the user with an id.
	many func(id, rows string) []string
	// filters are a value for each parameter of a list, other than its default.
	filters map[string]string
	// tables are those that a parameter of a path names otherwise.
	tables map[string]string
	// own leaves rows in the tables whose constraints no made-up row meets.
	own func(p, admin *servertest.Person)

	// mayBeNull are the columns that may be null, with what that means.
	mayBeNull map[string]string
	// refersToNothing are the columns that name a row and outlive it.
	refersToNothing map[string]string
	// outOfRange are values that a row must not have, whoever writes it, by tables.
	outOfRange map[string][]string
	// twice are changes that make two rows the same where there may be one.
	twice []string
	// staysBehind are the columns that go on naming an account that was deleted, with
	// the reason. Whatever else names one has to go with it, by a query that is marked
	// `-- personal`.
	staysBehind map[string]string

	// readWhole are the queries that may read a whole table, or walk an index and
	// drop what a filter does not let through: because it is their purpose, or with
	// what bounds it.
	readWhole map[string]string
	// sortsFew are the queries that have a limit and sort, with what bounds what they
	// sort. All others that have one come in the order of an index.
	sortsFew map[string]string
	// servedBy are the indexes of queries that could do with another one, or with
	// none, as long as tables are small or the rows that a filter drops are few.
	servedBy map[string][]string
}

// nouns are all of them, in the order in which their tables refer to each other.
var nouns = []noun{
	accountsNoun,
	productsNoun, ordersNoun, // bare-drops
	statsNoun,
	exportsNoun, notificationsNoun, filesNoun, reportsNoun, // bare-drops
}

// listed joins what the nouns list.
func listed(of func(noun) []string) (all []string) {
	for _, n := range nouns {
		all = append(all, of(n)...)
	}
	return all
}

// mapped joins what the nouns say by name.
func mapped[V any](of func(noun) map[string]V) map[string]V {
	all := map[string]V{}
	for _, n := range nouns {
		maps.Copy(all, of(n))
	}
	return all
}
