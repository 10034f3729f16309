// Command image makes a container image of a built binary without any engine, and the
// list of what is in it (SBOM). What the image is like stands in the last stage of
// deploy/Dockerfile.
//
// The same binary gives the same bytes: times are those of SOURCE_DATE_EPOCH, or of
// the commit that the binary was built from.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// mostBytes is how large the image may be, as a registry keeps it.
const mostBytes = 40 << 20

func main() {
	root := flag.String("root", ".", "the repository; the binary is its bin/image/accord")
	flag.Parse()
	if err := run(context.Background(), *root, os.Getenv("SOURCE_DATE_EPOCH"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// run writes bin/image/accord.tar and bin/image/accord.cdx.json.
func run(ctx context.Context, root, epoch string, out io.Writer) error {
	folder := filepath.Join(root, "bin", "image")
	made, err := assemble(root, filepath.Join(folder, "accord"), epoch)
	if err != nil {
		return err
	}
	size, err := made.size()
	if err != nil {
		return err
	}
	if size > mostBytes {
		return fmt.Errorf("the image has %d bytes, and at most %d are wanted", size, mostBytes)
	}
	digest, err := made.image.Digest()
	if err != nil {
		return err
	}
	tag, err := name.NewTag("accord:latest")
	if err != nil {
		return err
	}
	if err := tarball.WriteToFile(filepath.Join(folder, "accord.tar"), tag, made.image); err != nil {
		return fmt.Errorf("writing the image: %w", err)
	}
	if err := made.writeSBOM(ctx, root, filepath.Join(folder, "accord.cdx.json"), digest); err != nil {
		return err
	}
	fmt.Fprintf(out, "bin/image/accord.tar: %s, %s/%s, %.1f MB; what is in it: bin/image/accord.cdx.json\n",
		digest, made.platform.OS, made.platform.Architecture, float64(size)/1e6)
	return nil
}
