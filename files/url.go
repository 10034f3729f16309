package files

import (
	"errors"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// amazon is where a bucket is when its URL does not say.
const amazon = "https://s3.amazonaws.com"

// place is what the URL of a storage says: a folder or a bucket.
type place struct {
	folder   string
	bucket   string
	region   string // "" when the bucket has to be asked
	endpoint *url.URL
}

// String names the bucket for people.
func (p place) String() string { return "s3://" + p.bucket + " at " + p.endpoint.String() }

// CheckURL tells what is wrong with the URL of a storage, without quoting it
// and without opening anything.
func CheckURL(storageURL string) error {
	_, err := parseURL(storageURL)
	return err
}

func parseURL(storageURL string) (place, error) {
	u, err := url.Parse(storageURL)
	switch {
	case err != nil:
		// url's own error quotes the URL, which may hold a password by mistake.
		return place{}, errors.New("it is not a URL")
	case u.User != nil:
		return place{}, errors.New("it must not hold credentials: they are found the AWS way")
	case u.Fragment != "" || u.Opaque != "":
		return place{}, errors.New("it must be a scheme, a place and its parameters, and nothing more")
	case u.Scheme == "file":
		return parseFolder(u)
	case u.Scheme == "s3":
		return parseBucket(u)
	}
	return place{}, errors.New("the scheme must be file or s3")
}

func parseFolder(u *url.URL) (place, error) {
	if u.Host != "" || u.RawQuery != "" || path.Clean(u.Path) == "/" || !strings.HasPrefix(u.Path, "/") {
		return place{}, errors.New("it must be file:// and the whole path of a folder, with three slashes in a row")
	}
	return place{folder: filepath.FromSlash(path.Clean(u.Path))}, nil
}

func parseBucket(u *url.URL) (place, error) {
	if s3utils.CheckValidBucketNameStrict(u.Host) != nil || strings.Trim(u.Path, "/") != "" {
		return place{}, errors.New("it must be s3:// and the name of a bucket, without a path")
	}
	parameters, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, errors.New("its parameters cannot be read")
	}
	p := place{bucket: u.Host, region: parameters.Get("region")}
	for name, values := range parameters {
		if name != "region" && name != "endpoint" || len(values) > 1 {
			return place{}, errors.New("its parameters may be region and endpoint, each once")
		}
	}
	p.endpoint, err = parseEndpoint(parameters.Get("endpoint"))
	return p, err
}

// parseEndpoint reads scheme://host[:port].
func parseEndpoint(text string) (*url.URL, error) {
	if text == "" {
		text = amazon
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Scheme+"://"+u.Host != strings.TrimSuffix(text, "/") {
		return nil, errors.New("its endpoint must be a scheme and a host, such as https://s3.example.com")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
