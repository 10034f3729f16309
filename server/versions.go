package server

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/api"
)

// versionTag is the ETag of a row's version.
func versionTag(version int64) string { return fmt.Sprintf(`"%d-%s"`, version, representation()) }

// versionsOf are the versions that an If-Match names; nil for any. A tag that is
// none of ours, a weak one too, names none (RFC 9110, section 13.1.1).
func versionsOf(ifMatch *string) []int64 {
	if ifMatch == nil || *ifMatch == anyTag {
		return nil
	}
	versions := []int64{}
	for _, tag := range entityTags(*ifMatch) {
		digits, _, _ := strings.Cut(strings.Trim(tag.quoted, `"`), "-")
		version, err := strconv.ParseInt(digits, 10, 64)
		if err == nil && !tag.weak && tag.quoted == versionTag(version) {
			versions = append(versions, version)
		}
	}
	return versions
}

// orAnotherVersion tells a row that is not there from one whose version is another
// one: get asks for it without one.
func orAnotherVersion(err error, get func() error) error {
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if err := get(); err != nil {
		return err
	}
	return problem(api.ProblemPreconditionFailed, "The current version is another one.")
}
