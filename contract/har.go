package contract

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// har is what is read of an HTTP Archive (HAR 1.2), as browsers and proxies write it.
type har struct {
	Log struct {
		Entries []struct {
			Request struct {
				Method   string      `json:"method"`
				URL      string      `json:"url"`
				Headers  []harHeader `json:"headers"`
				PostData *struct {
					Text string `json:"text"`
				} `json:"postData"`
			} `json:"request"`
			Response struct {
				Status  int         `json:"status"`
				Headers []harHeader `json:"headers"`
				Content struct {
					Text     string `json:"text"`
					Encoding string `json:"encoding"`
				} `json:"content"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ReadHAR reads recorded answers from an HTTP Archive (HAR 1.2).
func ReadHAR(r io.Reader) ([]Recorded, error) {
	var archive har
	if err := json.NewDecoder(r).Decode(&archive); err != nil {
		return nil, fmt.Errorf("reading the archive: %w", err)
	}
	var all []Recorded
	for i, entry := range archive.Log.Entries {
		address, err := url.Parse(entry.Request.URL)
		if err != nil {
			return nil, fmt.Errorf("reading the archive: entry %d: %w", i+1, err)
		}
		recorded := Recorded{
			Method: entry.Request.Method, Path: address.Path, Query: address.Query(), Request: headers(entry.Request.Headers),
			Status: entry.Response.Status, Header: headers(entry.Response.Headers), Body: []byte(entry.Response.Content.Text),
		}
		if entry.Request.PostData != nil {
			recorded.Sent = []byte(entry.Request.PostData.Text)
		}
		if entry.Response.Content.Encoding == "base64" {
			if recorded.Body, err = base64.StdEncoding.DecodeString(entry.Response.Content.Text); err != nil {
				return nil, fmt.Errorf("reading the archive: entry %d: %w", i+1, err)
			}
		}
		all = append(all, recorded)
	}
	return all, nil
}

func headers(list []harHeader) http.Header {
	header := http.Header{}
	for _, h := range list {
		header.Add(h.Name, h.Value)
	}
	return header
}
