package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"debug/buildinfo"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// made is an image with what is known of its binary.
type made struct {
	image    v1.Image
	platform v1.Platform
	created  time.Time
	build    *buildinfo.BuildInfo
}

// assemble makes the image of a binary, as the Dockerfile below root has it. epoch is
// SOURCE_DATE_EPOCH, or empty.
func assemble(root, binary, epoch string) (*made, error) {
	build, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("reading what %s was built from: %w", binary, err)
	}
	created, err := creation(build, epoch)
	if err != nil {
		return nil, err
	}
	final, err := readFinalStage(filepath.Join(root, "deploy", "Dockerfile"))
	if err != nil {
		return nil, err
	}
	image := empty.Image
	for _, step := range final.copies {
		files, err := step.files(root, binary)
		if err != nil {
			return nil, err
		}
		layer, err := archive(files, created)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{
			Created: v1.Time{Time: created}, CreatedBy: step.text,
		}})
		if err != nil {
			return nil, err
		}
	}
	platform := v1.Platform{OS: setting(build, "GOOS"), Architecture: setting(build, "GOARCH")}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = platform.OS, platform.Architecture
	config.Created = v1.Time{Time: created}
	config.Config = final.config
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	return &made{image: image, platform: platform, created: created, build: build}, nil
}

// size is what a registry keeps: the manifest, the configuration and the layers.
func (m *made) size() (int64, error) {
	manifest, err := m.image.Manifest()
	if err != nil {
		return 0, err
	}
	whole, err := m.image.Size()
	if err != nil {
		return 0, err
	}
	whole += manifest.Config.Size
	for _, layer := range manifest.Layers {
		whole += layer.Size
	}
	return whole, nil
}

// creation is the one time that the image holds.
func creation(build *buildinfo.BuildInfo, epoch string) (time.Time, error) {
	if epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH must be a number of seconds: %w", err)
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	committed := setting(build, "vcs.time")
	if committed == "" {
		return time.Unix(0, 0).UTC(), nil
	}
	return time.Parse(time.RFC3339, committed)
}

func setting(build *buildinfo.BuildInfo, key string) string {
	i := slices.IndexFunc(build.Settings, func(s debug.BuildSetting) bool { return s.Key == key })
	if i < 0 {
		return ""
	}
	return build.Settings[i].Value
}

// file is one of an image; a folder has no content.
type file struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// files gives what a COPY puts into the image. What it takes from the first stage is
// made here in another way, and so has to be known.
func (c copying) files(root, binary string) ([]file, error) {
	switch {
	case c.from == "":
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(c.source)))
		return []file{{name: c.target, mode: 0o644, owner: c.owner, content: content}}, err
	case c.target == "/accord":
		content, err := os.ReadFile(binary)
		return []file{{name: c.target, mode: 0o755, owner: c.owner, content: content}}, err
	case c.target == "/etc/ssl/certs/ca-certificates.crt":
		return []file{{name: c.target, mode: 0o644, owner: c.owner, content: authorities()}}, nil
	case c.source == "/state/" && c.target == "/var/lib/":
		return []file{{name: "/var/lib/accord/", mode: 0o755, owner: c.owner}, {name: "/var/lib/accord/files/", mode: 0o755, owner: c.owner}}, nil // bare-drops
		// bare-has: return []file{{name: "/var/lib/accord/", mode: 0o755, owner: c.owner}}, nil
	}
	return nil, fmt.Errorf("it is not known what %q puts into the image", c.text)
}

// authorities are the roots that Mozilla trusts without a condition.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			text.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return text.Bytes()
}

// archive is a layer of files, and of the folders that lead to them.
func archive(files []file, at time.Time) (v1.Layer, error) {
	var text bytes.Buffer
	writer := tar.NewWriter(&text)
	for _, f := range withParents(files) {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.name, "/"), Mode: f.mode, Uid: f.owner, Gid: f.owner,
			Size: int64(len(f.content)), ModTime: at, Format: tar.FormatPAX,
		}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil })
}

func withParents(files []file) []file {
	named := map[string]file{}
	for _, f := range files {
		for folder := path.Dir(strings.TrimSuffix(f.name, "/")); folder != "/"; folder = path.Dir(folder) {
			if _, known := named[folder+"/"]; !known {
				named[folder+"/"] = file{name: folder + "/", mode: 0o755}
			}
		}
		named[f.name] = f
	}
	all := make([]file, 0, len(named))
	for _, f := range named {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return all
}
