package server

import (
	"cmp"
	"encoding"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// Setting is a setting as it is shown to people: a secret's value is
// "(hidden)", and one without a value is "(unset)".
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
	Help   string `json:"help"`
}

// Settings lists all settings in the order of Config's fields. The sources are
// those that Environ gave; what is not among them has its default.
func (c Config) Settings(sources map[string]string) []Setting {
	value := reflect.ValueOf(c)
	settings := make([]Setting, len(settingFields))
	for i, field := range settingFields {
		settings[i] = Setting{
			Name:   field.name,
			Value:  cmp.Or(settingText(value.Field(field.index).Interface()), "(unset)"),
			Source: cmp.Or(sources[field.name], SourceDefault),
			Help:   field.help,
		}
	}
	return settings
}

// settingText writes a value in the form in which the setting takes it.
func settingText(value any) string {
	switch value := value.(type) {
	case slog.Level:
		return strings.ToLower(value.String())
	case []string:
		return strings.Join(value, ",")
	case time.Duration:
		return shortDuration(value)
	case encoding.TextMarshaler:
		// Every such type of Config's marshals without an error.
		text, _ := value.MarshalText()
		return string(text)
	default:
		return fmt.Sprint(value)
	}
}

// shortDuration is d without units that are zero: 15m and not 15m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// String lists the settings as NAME=value, without secrets.
func (c Config) String() string {
	var text strings.Builder
	for i, setting := range c.Settings(nil) {
		if i > 0 {
			text.WriteByte(' ')
		}
		fmt.Fprintf(&text, "%s=%s", setting.Name, setting.Value)
	}
	return text.String()
}

// Format writes String for every verb.
func (c Config) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, c.String()) }

// LogValue is a group of all settings, without secrets.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, setting := range c.Settings(nil) {
		attrs = append(attrs, slog.String(setting.Name, setting.Value))
	}
	return slog.GroupValue(attrs...)
}

// SettingsMarkdown is the table of all settings in docs/configuration.md.
func SettingsMarkdown() string {
	var table strings.Builder
	table.WriteString("| Setting | Default | Required | Meaning |\n|---|---|---|---|\n")
	for _, field := range settingFields {
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n",
			field.name, field.defaultMarkdown(), field.required, strings.ReplaceAll(field.help, "<", "&lt;"))
	}
	return table.String()
}

// defaultMarkdown tells the default of a setting, and production's where it is
// another.
func (f settingField) defaultMarkdown() string {
	text := cmp.Or(f.derived, markdownValue(f.fallback))
	if f.hasProduction {
		text += "; production: " + markdownValue(f.production)
	}
	return text
}

func markdownValue(value string) string {
	if value == "" {
		return "none"
	}
	return "`" + value + "`"
}
