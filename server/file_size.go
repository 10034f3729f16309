package server

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// sizeUnits are those that a setting may use, largest first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}}

// UnmarshalText reads a whole number with a unit, such as 64KiB, or of bytes.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := string(text), int64(1)
	for _, u := range sizeUnits {
		if before, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(before), u.bytes
			break
		}
	}
	count, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return err
	}
	if count < 0 || count > math.MaxInt64/unit {
		return errors.New("out of range")
	}
	*s = Size(count * unit)
	return nil
}

// MarshalText is the reverse of UnmarshalText, in the largest unit that fits.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range sizeUnits {
		if int64(s) >= u.bytes && int64(s)%u.bytes == 0 {
			return append(strconv.AppendInt(nil, int64(s)/u.bytes, 10), u.name...), nil
		}
	}
	return []byte("0"), nil
}
