package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// product is something that is sold.
type product struct {
	id                               uuid.UUID
	sku, name, description, currency string
	price                            int64
	stock                            int32
	createdAt                        time.Time
}

// newProduct makes the product with this number, first offered at the time of
// the i-th of n. One in eight is sold in dollars, one in twelve is out of stock.
func newProduct(s *source, number int64, p span, i, n int) product {
	s.row(drawProduct, number)
	family, adjective, material, thing, series := compose(number)
	made := product{
		sku:         fmt.Sprintf("%s-%04d", strings.ToUpper(strings.ReplaceAll(thing.name, " ", "-")), number),
		name:        adjective + " " + material + " " + thing.name,
		description: fmt.Sprintf("Made of %s. %s %s", material, pick(s, family.making), pick(s, family.care)),
		currency:    "EUR", price: priceOf(s, thing), createdAt: p.at(s, i, n),
	}
	made.id = s.id(made.createdAt)
	if series > 1 {
		made.name += fmt.Sprintf(", series %d", series)
	}
	if s.IntN(8) == 0 {
		made.currency = "USD"
	}
	if s.IntN(12) > 0 {
		made.stock = int32(1 + s.few(250)) //nolint:gosec // below 250
	}
	return made
}

// compose gives each number another name, until all words have been combined:
// then the next series begins.
func compose(number int64) (family craft, adjective, material string, made thing, series int64) {
	families := int64(len(crafts))
	family, k := crafts[number%families], number/families
	adjectives, materials, things := int64(len(family.adjectives)), int64(len(family.materials)), int64(len(family.things))
	names := adjectives * materials * things
	// The step has no factor in common with the number of names, so that it comes
	// to each of them, and far from the last one.
	const step = 857
	at := k % names * step % names
	return family, family.adjectives[at/things/materials], family.materials[at/things%materials], family.things[at%things], k/names + 1
}

// priceOf draws a price that looks like one: 24.90, 25.50, 26.00.
func priceOf(s *source, t thing) int64 {
	return (t.low+s.Int64N(t.high-t.low))*100 + pick(s, []int64{0, 50, 90})
}

func productRows(products []product) rows {
	r := rows{table: "products", columns: []string{
		"id", "sku", "name", "description", "price", "currency", "stock", "created_at", "updated_at",
	}}
	for _, p := range products {
		r.values = append(r.values, []any{
			p.id, p.sku, p.name, p.description, p.price, p.currency, p.stock, p.createdAt, p.createdAt,
		})
	}
	return r
}
