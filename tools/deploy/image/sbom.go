package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// authoritiesModule is where the certificates in the image come from.
const authoritiesModule = "golang.org/x/crypto/x509roots/fallback"

// writeSBOM writes the list of what is in the image, as CycloneDX has it: the modules
// that the linker has put into the binary, Go's own library, and the certificates, each
// with the licences that its source is known to be under. root is the repository.
func (m *made) writeSBOM(ctx context.Context, root, name string, digest v1.Hash) (err error) {
	bom := m.sbom(digest)
	if err := addLicences(ctx, root, *bom.Components); err != nil {
		return err
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	encoder := cyclonedx.NewBOMEncoder(file, cyclonedx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	return encoder.EncodeVersion(bom, cyclonedx.SpecVersion1_6)
}

func addLicences(ctx context.Context, root string, components []cyclonedx.Component) error {
	from, err := findSources(ctx)
	if err != nil {
		return err
	}
	for i := range components {
		c := &components[i]
		folder := root
		if c.Type != cyclonedx.ComponentTypeApplication {
			if folder, err = from.folder(c.Name, c.Version); err != nil {
				return err
			}
		}
		found, err := licences(folder)
		if err != nil {
			return err
		}
		var all cyclonedx.Licenses
		for _, id := range found {
			all = append(all, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
		}
		if all != nil {
			c.Licenses = &all
		}
	}
	return nil
}

func (m *made) sbom(digest v1.Hash) *cyclonedx.BOM {
	components := []cyclonedx.Component{library(&m.build.Main)}
	components[0].Type = cyclonedx.ComponentTypeApplication
	for _, dependency := range m.build.Deps {
		components = append(components, library(dependency))
	}
	components = append(components, library(&debug.Module{Path: "std", Version: strings.TrimPrefix(m.build.GoVersion, "go")}))
	if own, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range own.Deps {
			if dependency.Path == authoritiesModule {
				certificates := library(dependency)
				certificates.Type = cyclonedx.ComponentTypeData
				components = append(components, certificates)
			}
		}
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: m.created.Format(time.RFC3339),
		Component: &cyclonedx.Component{
			BOMRef: digest.String(), Type: cyclonedx.ComponentTypeContainer, Name: "accord", Version: m.build.Main.Version,
			Hashes: &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: digest.Hex}},
		},
	}
	bom.Components = &components
	return bom
}

// library is a module as others know it: by its package URL.
func library(m *debug.Module) cyclonedx.Component {
	if m.Replace != nil {
		m = m.Replace
	}
	url := fmt.Sprintf("pkg:golang/%s@%s", m.Path, m.Version)
	return cyclonedx.Component{BOMRef: url, Type: cyclonedx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: url}
}
