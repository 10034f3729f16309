package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// partSize is how much of a file is held in memory while it is written.
	// S3 takes 10,000 parts of at least 5 MiB, so this allows for 78 GiB.
	partSize = 8 << 20
	// cleanupTimeout bounds what is done after a write has failed.
	cleanupTimeout = 5 * time.Second
)

// bucket keeps each key as an object of that name in an S3 bucket.
type bucket struct {
	name      string
	client    *minio.Core
	transport *http.Transport
}

func openBucket(p place, with []Option) (*bucket, error) {
	o := options{wrap: func(transport http.RoundTripper) http.RoundTripper { return transport }}
	for _, option := range with {
		option(&o)
	}
	secure := p.endpoint.Scheme == "https"
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	client, err := minio.NewCore(p.endpoint.Host, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		}),
		Secure: secure, Region: p.region, Transport: o.wrap(transport),
	})
	if err != nil {
		return nil, err
	}
	return &bucket{p.bucket, client, transport}, nil
}

// write sends what fits into one part by one request. The size of a body is
// not known beforehand, and S3 wants to be told the size of what it is sent.
func (b *bucket) write(ctx context.Context, key string, m *meter) error {
	part := make([]byte, min(m.limit, partSize-1)+1) // with room to see the end of m
	n, err := fill(m, part)
	switch {
	case errors.Is(err, io.EOF):
		return b.put(ctx, key, part[:n])
	case err != nil:
		return err
	}
	return b.writeParts(ctx, key, m, part)
}

// fill reads until p is full; io.EOF says that r ended before. It is not
// io.ReadFull, whose io.ErrUnexpectedEOF for that is also the error of a
// request's body that broke off.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var read int
		read, err = r.Read(p[n:])
		n += read
	}
	if n == len(p) && errors.Is(err, io.EOF) {
		err = nil // The next call meets it again.
	}
	return n, err
}

func (b *bucket) put(ctx context.Context, key string, content []byte) error {
	_, err := b.client.PutObject(ctx, b.name, key, bytes.NewReader(content), int64(len(content)), "", hexSum(content),
		minio.PutObjectOptions{DisableContentSha256: true})
	if err != nil {
		b.discard(ctx, key)
	}
	return err
}

// hexSum signs a part, so that what arrives is what was sent.
func hexSum(part []byte) string {
	sum := sha256.Sum256(part)
	return hex.EncodeToString(sum[:])
}

// writeParts writes the first part, which is full, and the rest of r.
func (b *bucket) writeParts(ctx context.Context, key string, r io.Reader, part []byte) error {
	upload, err := b.client.NewMultipartUpload(ctx, b.name, key, minio.PutObjectOptions{})
	if err != nil {
		return err
	}
	complete := false
	defer func() { // also when r panics
		if !complete {
			b.abort(ctx, key, upload)
		}
	}()
	var parts []minio.CompletePart
	for n := len(part); n > 0; {
		sent, err := b.client.PutObjectPart(ctx, b.name, key, upload, len(parts)+1, bytes.NewReader(part[:n]), int64(n),
			minio.PutObjectPartOptions{Sha256Hex: hexSum(part[:n]), DisableContentSha256: true})
		if err != nil {
			return err
		}
		parts = append(parts, minio.CompletePart{PartNumber: sent.PartNumber, ETag: sent.ETag})
		if n, err = fill(r, part); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	if _, err := b.client.CompleteMultipartUpload(ctx, b.name, key, upload, parts, minio.PutObjectOptions{}); err != nil {
		b.discard(ctx, key)
		return err
	}
	complete = true
	return nil
}

// abort drops the parts that were sent. What it cannot drop is for older.
func (b *bucket) abort(ctx context.Context, key, upload string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	_ = b.client.AbortMultipartUpload(ctx, b.name, key, upload)
}

// discard drops an object after an error that does not tell whether it was
// written: the answer may have been lost. What it cannot drop is for older.
func (b *bucket) discard(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	_ = b.delete(ctx, key)
}

func (b *bucket) open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	object, err := b.client.Client.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	// Nothing has been asked yet; this finds out whether it is there.
	if _, err := object.Stat(); err != nil {
		_ = object.Close()
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			return nil, ErrNotExist
		}
		return nil, err
	}
	return object, nil
}

func (b *bucket) delete(ctx context.Context, key string) error {
	return b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
}

func (b *bucket) older(ctx context.Context, prefix string, than time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for object := range b.client.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if object.Err != nil {
				yield("", object.Err)
				return
			}
			if object.LastModified.Before(than) && checkKey(object.Key) == nil && !yield(object.Key, nil) {
				return
			}
		}
		if err := b.abortOlder(ctx, prefix, than); err != nil {
			yield("", err)
		}
	}
}

// abortOlder drops the parts that a crash has left of writes.
func (b *bucket) abortOlder(ctx context.Context, prefix string, than time.Time) error {
	var key, upload string
	for {
		page, err := b.client.ListMultipartUploads(ctx, b.name, prefix, key, upload, "", 1000)
		if err != nil {
			return err
		}
		for _, u := range page.Uploads {
			if !u.Initiated.Before(than) {
				continue
			}
			if err := b.client.AbortMultipartUpload(ctx, b.name, u.Key, u.UploadID); err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchUpload {
				return err
			}
		}
		if !page.IsTruncated {
			return nil
		}
		key, upload = page.NextKeyMarker, page.NextUploadIDMarker
	}
}

func (b *bucket) close() error {
	b.transport.CloseIdleConnections()
	return nil
}
