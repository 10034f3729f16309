package server

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

// tagProducts is the cache tag of lists of products, tagProduct begins the one of
// a single product.
const (
	tagProducts = "products"
	tagProduct  = "product:"
)

// ListProducts lists what is sold.
func (s *Server) ListProducts(ctx context.Context, r api.ListProductsRequestObject) (api.ListProductsResponseObject, error) {
	sort := *r.Params.Sort
	page, payload, err := s.pageAt(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.products(ctx, db.ProductSearchParams{
		MinPrice: *r.Params.MinPrice, MaxPrice: *r.Params.MaxPrice, Currency: r.Params.Currency,
		InStock: r.Params.InStock, Max: page.max, Sort: string(sort),
	}, r.Params.Q, productPositionOf(sort, payload))
	if err != nil {
		return nil, err
	}

	rows, next := cutAt(page, rows, func(p db.Product) []byte { return productPosition{p.Price, p.ID}.bytes() })
	return api.ListProducts200JSONResponse{
		Headers: api.ListProducts200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.ProductPage{Items: each(rows, productOf), NextCursor: next},
	}, nil
}

// products asks the query that has an index for what is asked.
func (s *Server) products(ctx context.Context, f db.ProductSearchParams, q *string, at productPosition) ([]db.Product, error) {
	if q != nil {
		f.Q, f.AtPrice, f.AtID = *q, at.price, at.id
		return s.queries.ProductSearch(ctx, f)
	}
	switch api.ProductSort(f.Sort) {
	case api.ProductSortPriceAsc:
		return s.queries.ProductListCheapest(ctx, db.ProductListCheapestParams{
			AtPrice: at.price, AtID: at.id, MinPrice: f.MinPrice, MaxPrice: f.MaxPrice, Currency: f.Currency, InStock: f.InStock, Max: f.Max,
		})
	case api.ProductSortPriceDesc:
		return s.queries.ProductListDearest(ctx, db.ProductListDearestParams{
			AtPrice: at.price, AtID: at.id, MinPrice: f.MinPrice, MaxPrice: f.MaxPrice, Currency: f.Currency, InStock: f.InStock, Max: f.Max,
		})
	default:
		return s.queries.ProductListNewest(ctx, db.ProductListNewestParams{
			AtID: at.id, MinPrice: f.MinPrice, MaxPrice: f.MaxPrice, Currency: f.Currency, InStock: f.InStock, Max: f.Max,
		})
	}
}

// productPosition is where a page of products begins: after the product with
// this price and id.
type productPosition struct {
	price int64
	id    uuid.UUID
}

// productPositionOf reads a cursor; without one it is before the first product.
func productPositionOf(sort api.ProductSort, payload []byte) productPosition {
	switch {
	case len(payload) > 0:
		return productPosition{int64(binary.BigEndian.Uint64(payload)), uuid.UUID(payload[8:])} //nolint:gosec // our own, sealed
	case sort == api.ProductSortPriceAsc:
		return productPosition{-1, uuid.Nil}
	default:
		return productPosition{math.MaxInt64, uuid.Max}
	}
}

func (p productPosition) bytes() []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(p.price)), p.id[:]...) //nolint:gosec // not negative
}

// GetProduct shows one product.
func (s *Server) GetProduct(ctx context.Context, r api.GetProductRequestObject) (api.GetProductResponseObject, error) {
	product, err := s.queries.ProductGet(ctx, r.ProductID)
	return api.GetProduct200JSONResponse{ProductJSONResponse: productAnswer(product)}, err
}

// CreateProduct offers a product.
func (s *Server) CreateProduct(ctx context.Context, r api.CreateProductRequestObject) (api.CreateProductResponseObject, error) {
	var product db.Product
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		product, err = w.ProductCreate(ctx, db.ProductCreateParams{
			ID: newID(), Now: s.now(), Sku: r.Body.Sku, Name: r.Body.Name, Description: r.Body.Description,
			Price: r.Body.Price, Currency: r.Body.Currency, Stock: r.Body.Stock,
		})
		w.stale(tagProducts)
		return err
	})
	return api.CreateProduct201JSONResponse{
		Headers: api.CreateProduct201ResponseHeaders{Location: "/api/v1/products/" + product.ID.String(), ETag: versionTag(product.Version)},
		Body:    productOf(product),
	}, err
}

// UpdateProduct changes a product, or only the version of it that is named.
func (s *Server) UpdateProduct(ctx context.Context, r api.UpdateProductRequestObject) (api.UpdateProductResponseObject, error) {
	var product db.Product
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		product, err = w.ProductUpdate(ctx, db.ProductUpdateParams{
			ID: r.ProductID, Now: s.now(), Versions: versionsOf(r.Params.IfMatch),
			Sku: r.Body.Sku, Name: r.Body.Name, Description: r.Body.Description,
			Price: r.Body.Price, Currency: r.Body.Currency, Stock: r.Body.Stock,
		})
		w.stale(tagProducts, tagProduct+r.ProductID.String())
		return orAnotherVersion(err, func() error { _, err := w.ProductGet(ctx, r.ProductID); return err })
	})
	return api.UpdateProduct200JSONResponse{ProductJSONResponse: productAnswer(product)}, err
}

// RetireProduct ends the sale of a product.
func (s *Server) RetireProduct(ctx context.Context, r api.RetireProductRequestObject) (api.RetireProductResponseObject, error) {
	return api.RetireProduct204Response{}, s.inTx(ctx, func(ctx context.Context, w *write) error {
		_, err := w.ProductRetire(ctx, db.ProductRetireParams{ID: r.ProductID, Now: s.now(), Versions: versionsOf(r.Params.IfMatch)})
		w.stale(tagProducts, tagProduct+r.ProductID.String())
		return orAnotherVersion(err, func() error { _, err := w.ProductGet(ctx, r.ProductID); return err })
	})
}

// productOf shows a product.
func productOf(p db.Product) api.Product {
	return api.Product{
		ID: p.ID, Sku: p.Sku, Name: p.Name, Description: p.Description, Price: p.Price, Currency: p.Currency,
		Stock: p.Stock, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

// productAnswer is a product as the answer that several operations share.
func productAnswer(p db.Product) api.ProductJSONResponse {
	return api.ProductJSONResponse{Headers: api.ProductResponseHeaders{ETag: versionTag(p.Version)}, Body: productOf(p)}
}
