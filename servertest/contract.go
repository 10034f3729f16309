package servertest

import (
	"sync"

	"github.com/accord-api/accord/contract/conform"
	"github.com/accord-api/accord/gen/api"
)

// published is the document that answers are held against.
var published = sync.OnceValue(func() *conform.Document {
	document, err := conform.Parse(api.OpenAPI)
	if err != nil {
		panic(err)
	}
	return document
})
