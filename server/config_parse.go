package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// ConfigError is what is wrong with the settings: all of it, in the order of
// Config's fields. It holds no value, for a secret may stand in the wrong place.
type ConfigError struct {
	Faults []ConfigFault
}

// ConfigFault is one wrong setting: its name, and what would be right.
type ConfigFault struct {
	Setting string
	Problem string
}

func newConfigError(faults []ConfigFault) *ConfigError {
	slices.SortStableFunc(faults, func(a, b ConfigFault) int {
		return cmp.Compare(settingIndex(a.Setting), settingIndex(b.Setting))
	})
	return &ConfigError{faults}
}

// Error is one line for each fault, after a line that counts them.
func (e *ConfigError) Error() string {
	var text strings.Builder
	if len(e.Faults) == 1 {
		text.WriteString("1 setting is wrong:")
	} else {
		fmt.Fprintf(&text, "%d settings are wrong:", len(e.Faults))
	}
	for _, fault := range e.Faults {
		fmt.Fprintf(&text, "\n  %s %s", fault.Setting, fault.Problem)
	}
	return text.String()
}

// settingField is a field of Config by what its tags say.
type settingField struct {
	name     string // of the setting
	field    string // of the struct
	index    int
	fallback string
	// production stands for fallback there, when hasProduction.
	production    string
	hasProduction bool
	derived       string
	required      Environment
	help          string
}

var settingFields = readSettingFields(reflect.TypeFor[Config]())

func readSettingFields(config reflect.Type) []settingField {
	fields := make([]settingField, config.NumField())
	for i := range fields {
		field := config.Field(i)
		production, hasProduction := field.Tag.Lookup("production")
		fields[i] = settingField{
			name:          field.Tag.Get("env"),
			field:         field.Name,
			index:         i,
			fallback:      field.Tag.Get("default"),
			production:    production,
			hasProduction: hasProduction,
			derived:       field.Tag.Get("derived"),
			required:      Environment(field.Tag.Get("required")),
			help:          field.Tag.Get("help"),
		}
	}
	return fields
}

// defaultIn is the setting's fixed default in an environment, or "".
func (f settingField) defaultIn(environment Environment) string {
	if environment == Production && f.hasProduction {
		return f.production
	}
	return f.fallback
}

func settingIndex(name string) int {
	return slices.IndexFunc(settingFields, func(f settingField) bool { return f.name == name })
}

// effectiveSettings picks the settings out of environ and puts the fixed
// default of the environment where one is unset.
func effectiveSettings(environ map[string]string) map[string]string {
	environment := Environment(strings.TrimSpace(environ["ENVIRONMENT"]))
	values := make(map[string]string, len(settingFields))
	for _, field := range settingFields {
		values[field.name] = cmp.Or(strings.TrimSpace(environ[field.name]), field.defaultIn(environment))
	}
	return values
}

// parseSettings fills config from values and tells which of them do not parse;
// their fields stay zero.
func parseSettings(values map[string]string, config *Config) []ConfigFault {
	err := env.ParseWithOptions(config, env.Options{
		Environment: values,
		FuncMap:     map[reflect.Type]env.ParserFunc{reflect.TypeFor[time.Duration](): parseDuration},
	})
	var all env.AggregateError
	if !errors.As(err, &all) {
		return nil
	}
	var faults []ConfigFault
	for _, err := range all.Errors {
		faults = append(faults, parseFault(err))
	}
	return faults
}

// parseFault names the setting and the form it should have. The parser's own
// words are left out: they quote the value.
func parseFault(err error) ConfigFault {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		// Only a mistake in Config's tags comes here; any test meets it.
		panic(fmt.Sprintf("parsing the settings: %v", err))
	}
	at := slices.IndexFunc(settingFields, func(f settingField) bool { return f.field == parse.Name })
	return ConfigFault{settingFields[at].name, "must be " + wantedForm(parse.Type)}
}

func wantedForm(kind reflect.Type) string {
	switch kind {
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 90s or 15m, or a whole number of seconds"
	case reflect.TypeFor[float64]():
		return "a number such as 0.25"
	case reflect.TypeFor[Size](): // bare-drops
		return "a size such as 500MiB or 2GiB, or a whole number of bytes" // bare-drops
	case reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	case reflect.TypeFor[Prefixes]():
		return "addresses or networks such as 10.0.0.7 or 10.0.0.0/8, separated by commas"
	default:
		return "a whole number"
	}
}

// parseDuration reads a Go duration, or a number as that many seconds.
func parseDuration(text string) (any, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.ParseDuration(text)
	}
	if seconds > math.MaxInt64/int64(time.Second) || seconds < 0 {
		return nil, errors.New("out of range")
	}
	return time.Duration(seconds) * time.Second, nil
}
