package server

import (
	"mime"
	"strconv"
	"strings"
)

// preferred gives the offer that Accept fields value most, the first one of
// equals; "" where none is acceptable. Without a field, or with an empty one,
// everything is.
func preferred(fields []string, offers []string) string {
	accept := strings.Join(fields, ",")
	if strings.Trim(accept, " \t,") == "" {
		return offers[0]
	}
	best, chosen := 0.0, ""
	for _, offer := range offers {
		if q := quality(accept, offer); q > best {
			best, chosen = q, offer
		}
	}
	return chosen
}

// quality of an offer is that of the most specific range that it falls in.
func quality(accept, offer string) float64 {
	kind, _, _ := strings.Cut(offer, "/")
	specific, q := 0, 0.0
	for field := range strings.SplitSeq(accept, ",") {
		mediaRange, params, err := mime.ParseMediaType(field)
		if err != nil {
			continue
		}
		level := map[string]int{"*/*": 1, kind + "/*": 2, offer: 3}[mediaRange]
		if level <= specific {
			continue
		}
		specific, q = level, 1
		if text, ok := params["q"]; ok {
			q, _ = strconv.ParseFloat(text, 64) // what is no number is 0: not acceptable
		}
	}
	return q
}
