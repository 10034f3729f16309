package main

import (
	"archive/tar"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const repository = "../../.."

// allowed are the licences that what is in the image may have. MPL-2.0 binds changes of
// its own files only, and there are none; PostgreSQL's own is MIT in other words.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "MPL-2.0", "PostgreSQL"}

// publicDomain unpacks the PostgreSQL that development fetches, and says in its LICENSE
// that nobody owns it.
const publicDomain = "github.com/xi2/xz"

// built is what `make image` has written.
func built(t *testing.T) v1.Image {
	t.Helper()
	image, err := tarball.ImageFromPath(filepath.Join(repository, "bin", "image", "accord.tar"), nil)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal("there is no image: make image")
	}
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// unpack writes the files of an image, and gives the owner of each.
func unpack(t *testing.T, image v1.Image, folder string) (owners map[string]int) {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close()
	owners = map[string]int{}
	for reader := tar.NewReader(files); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return owners
		}
		if err != nil {
			t.Fatal(err)
		}
		owners["/"+strings.TrimSuffix(header.Name, "/")] = header.Uid
		target := filepath.Join(folder, header.Name)
		if header.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(target, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, content, header.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImage(t *testing.T) {
	t.Parallel()
	image := built(t)
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	if size, err := (&made{image: image}).size(); err != nil || size > mostBytes {
		t.Errorf("it has %d bytes: %v", size, err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if user := config.Config.User; user != "65532:65532" {
		t.Errorf("it runs as %q", user)
	}
	folder := t.TempDir()
	owners := unpack(t, image, folder)
	for name, want := range map[string]int{"/accord": 0, "/etc/passwd": 0, "/etc/ssl/certs/ca-certificates.crt": 0, "/var/lib": 0, "/var/lib/accord/files": 65532} { // bare-drops
		// bare-has: for name, want := range map[string]int{"/accord": 0, "/etc/passwd": 0, "/etc/ssl/certs/ca-certificates.crt": 0, "/var/lib": 0, "/var/lib/accord": 65532} {
		if owner, there := owners[name]; !there || owner != want {
			t.Errorf("%s: %d %v", name, owner, there)
		}
	}
	authorities, err := os.ReadFile(filepath.Join(folder, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(authorities) || strings.Count(string(authorities), "BEGIN") < 100 {
		t.Errorf("certificates: %d bytes, %v", len(authorities), err)
	}

	run := func(environ []string, args ...string) string {
		command := exec.Command(filepath.Join(folder, config.Config.Entrypoint[0]), args...)
		command.Env, command.Dir = append(slices.Clone(config.Config.Env), environ...), t.TempDir()
		out, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run(nil, "--version"); !strings.Contains(out, "accord version") {
		t.Errorf("--version: %s", out)
	}
	settings := run([]string{
		"SECRET_KEY=p7Q-x9Lm2v_R4tW8yB1nK6cZ0sD3fG5h", "DATABASE_URL=postgres://accord@localhost/accord",
		"PUBLIC_URL=https://api.example.com", "TRUSTED_PROXIES=10.0.0.0/8",
	}, "config", "--json")
	for _, want := range []string{`"value": "production"`, `"value": "0.0.0.0"`, `"value": "file:///var/lib/accord/files"`} { // bare-drops
		// bare-has: for _, want := range []string{`"value": "production"`, `"value": "0.0.0.0"`} {
		if !strings.Contains(settings, want) {
			t.Errorf("config lacks %s: %s", want, settings)
		}
	}
}

// The commit gives the image, wherever it is built: two clones in two folders, with
// two times of their files, come to one digest.
func TestImageIsReproducible(t *testing.T) {
	t.Parallel()
	digests := map[string]bool{}
	for _, folder := range []string{"a", "in/another/folder"} {
		clone := filepath.Join(t.TempDir(), folder)
		for _, command := range [][]string{
			{"git", "clone", "-q", repository, clone},
			{"make", "-s", "-C", clone, "image"},
		} {
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
		}
		image, err := tarball.ImageFromPath(filepath.Join(clone, "bin", "image", "accord.tar"), nil)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests[digest.String()] = true
	}
	if len(digests) != 1 {
		t.Errorf("two digests: %v", digests)
	}
}

// The list names each module that the linker has put in, and the digest of the image.
func TestSBOM(t *testing.T) {
	t.Parallel()
	text, err := os.Open(filepath.Join(repository, "bin", "image", "accord.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = text.Close() }()
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(text, cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, component := range *bom.Components {
		if listed[component.PackageURL] {
			t.Errorf("%s is there twice", component.PackageURL)
		}
		listed[component.PackageURL] = true
	}
	folder := t.TempDir()
	image := built(t)
	unpack(t, image, folder)
	build, err := buildinfo.ReadFile(filepath.Join(folder, "accord"))
	if err != nil {
		t.Fatal(err)
	}
	for _, component := range *bom.Components {
		if component.Licenses == nil {
			if publicDomain != component.Name {
				t.Errorf("%s has no licence that is known", component.Name)
			}
			continue
		}
		for _, licence := range *component.Licenses {
			if !slices.Contains(allowed, licence.License.ID) {
				t.Errorf("%s is under %s", component.Name, licence.License.ID)
			}
		}
	}
	want := []string{"pkg:golang/std@" + strings.TrimPrefix(build.GoVersion, "go"), "pkg:golang/" + build.Main.Path + "@" + build.Main.Version}
	for _, dependency := range build.Deps {
		want = append(want, "pkg:golang/"+dependency.Path+"@"+dependency.Version)
	}
	for _, url := range want {
		if !listed[url] {
			t.Errorf("%s is not listed", url)
		}
	}
	certificates := slices.ContainsFunc(*bom.Components, func(c cyclonedx.Component) bool {
		return strings.HasPrefix(c.PackageURL, "pkg:golang/"+authoritiesModule+"@")
	})
	if len(listed) != len(want)+1 || !certificates {
		t.Errorf("%d components, of which %d are modules of the binary; certificates: %v", len(listed), len(want), certificates)
	}
	if digest, err := image.Digest(); err != nil || bom.Metadata.Component.BOMRef != digest.String() {
		t.Errorf("it is of %s, and the image is %s: %v", bom.Metadata.Component.BOMRef, digest, err)
	}
}

// What the last stage says is what the image is; what is not known there is refused.
func TestDockerfiles(t *testing.T) {
	t.Parallel()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for text, fault := range map[string]string{
		"FROM scratch\nCOPY --from=0 /x /accord\nUSER 7:7\n": "",
		"FROM debian\n":                                          "not with scratch",
		"FROM scratch\nRUN true\n":                               "what RUN means",
		"FROM scratch\nCOPY --from=0 /secret /secret\n":          "it is not known",
		"FROM scratch\nCOPY --chown=me --from=0 /x /accord\n":    "chown",
		"FROM scratch\nCOPY a b /\n":                             "one source",
		"FROM scratch\nCOPY a /a\n":                              "no such file",
		"FROM scratch\nNONSENSE\n":                               "NONSENSE",
		"FROM scratch\nHEALTHCHECK --interval=often CMD [\"a\"]": "often",
	} {
		root := t.TempDir()
		if err := os.Mkdir(filepath.Join(root, "deploy"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "deploy", "Dockerfile"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		made, err := assemble(root, binary, "1700000000")
		if fault != "" {
			if err == nil || !strings.Contains(err.Error(), fault) {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		config, err := made.image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.User != "7:7" || config.Created.Unix() != 1700000000 {
			told, _ := json.Marshal(config)
			t.Errorf("%q: %s", text, told)
		}
	}
}
