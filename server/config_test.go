package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joho/godotenv"

	"github.com/accord-api/accord/server"
)

const goodKey = "Vd8mTq2XyLw0ZrKc5HnJb7GfPa4SxEu9"

// variables are those of the environment. A test says how its own differ from a
// sound set.
type variables = map[string]string

func inProduction(changes variables) variables {
	environ := variables{
		"ENVIRONMENT":     "production",
		"SECRET_KEY":      goodKey,
		"DATABASE_URL":    "postgres://accord:pw@db.internal:5432/accord",
		"PUBLIC_URL":      "https://api.example.com",
		"TRUSTED_PROXIES": "10.0.0.0/8",
		"FILES_URL":       "s3://accord?region=eu-central-1", // bare-drops
	}
	maps.Copy(environ, changes)
	return environ
}

func inTest(changes variables) variables {
	environ := variables{"ENVIRONMENT": "test"}
	maps.Copy(environ, changes)
	return environ
}

// faultySettings lists the settings that LoadConfig finds wrong.
func faultySettings(t *testing.T, environ variables) []string {
	t.Helper()
	_, err := server.LoadConfig(environ)
	if err == nil {
		return nil
	}
	var config *server.ConfigError
	if !errors.As(err, &config) {
		t.Fatalf("got %T, want *server.ConfigError", err)
	}
	var names []string
	for _, fault := range config.Faults {
		names = append(names, fault.Setting)
	}
	return names
}

func TestConfigRules(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t)
	otherCert, _ := writeCertificate(t)
	long := strings.Repeat("x", 101)
	tests := []struct {
		setting string
		in      func(variables) variables
		good    []string
		bad     []string
	}{
		{"PROJECT_NAME", inDevelopment, []string{"", "Shop", "Bücher & Töne"}, []string{long, "a\nb", "a\x00"}},
		{"ENVIRONMENT", inDevelopment, []string{"", " ", "development", "test"}, []string{"prod", "Production", "staging"}},
		{"SECRET_KEY", inDevelopment, []string{"", "short"}, nil},
		{"SECRET_KEY", inTest, []string{"", "short"}, nil},
		{"SECRET_KEY", inProduction, []string{goodKey, goodKey + goodKey[1:], "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}, []string{
			"", "   ", goodKey[1:], strings.Repeat("x", 64), strings.Repeat("abc", 20), strings.Repeat("0123456789", 4),
			"abcdefghijklmnopqrstuvwxyz012345", "p7Qx9Lm2vp7mLx2Qvp9xQ7L2mvpx97QLm", "akqxzakgzqxaqzkxakzqxgaqzxkqazxkqzax", "aabbccddaabbccddaabbccddaabbccdd1", goodKey + goodKey, "changeme" + goodKey,
			"please-REPLACE-this-by-another-key!", "accord-development-key-not-a-secret", "my-example-key-" + goodKey,
		}},
		{"SECRET_KEY_PREVIOUS", inDevelopment, []string{"", "short"}, []string{"accord-development-key-not-a-secret"}},
		{"SECRET_KEY_PREVIOUS", inProduction, []string{"", goodKey[1:] + "+"}, []string{goodKey, "short", strings.Repeat("x", 64)}},
		{"JWT_KEY_FILE", inDevelopment, []string{"", keyFile}, []string{"/no/such/file", certFile, t.TempDir()}},
		{"DATABASE_URL", inDevelopment, []string{"", "postgres://u:p%40ss@h:5432/n?sslmode=require", "postgresql://h/n", "host=h dbname=n"}, []string{
			"mysql://h/n", "db.internal:5432/accord", "postgres://u:p/ss@h/n", "postgres://h:port/n", "postgres://h/n?sslmode=never",
		}},
		{"DATABASE_URL", inProduction, []string{"postgres://h/n"}, []string{""}},
		{"DATABASE_DIRECT_URL", inProduction, []string{"", "postgres://direct/n"}, []string{"redis://direct"}},
		{"DB_POOL_SIZE", inDevelopment, []string{"", "1", "1000"}, []string{"0", "-1", "1001", "many", "1.5"}},
		{"DB_POOL_OVERFLOW", inDevelopment, []string{"", "0", "1000"}, []string{"-1", "1001", "some"}},
		{"DB_CONN_MAX_LIFETIME", inDevelopment, []string{"", "3600", "1h30m"}, []string{"0", "-5", "-5m", "hour", "99999999999999999"}},
		{"DB_ACQUIRE_TIMEOUT", inDevelopment, []string{"", "30", "500ms"}, []string{"0s", "soon"}},
		{"MIGRATE_ON_START", inDevelopment, []string{"", "true", "false", "1", "0"}, []string{"yes", "2"}},
		{"JOBS", inDevelopment, []string{"", "true", "false", "1", "0"}, []string{"yes", "2"}},
		{"REDIS_URL", inProduction, []string{
			"", "redis://localhost", "redis://u:p%40ss@h:6380/7?read_timeout=100ms", "redis://:pw@[::1]:6379", "rediss://cache.example.com:6380", "unix:///run/redis.sock", "unix://:pw@/run/redis.sock?db=3",
		}, []string{
			"localhost:6379", "http://localhost", "redis://", "redis:localhost", "redis://h:port", "redis://h/zero", "redis://h/0/1", "redis://u:p/ss@h", "redis://h?nothing=1", "redis://h?read_timeout=soon", "unix://", "unix://run",
		}},
		{"CORS_ORIGINS", inDevelopment, []string{"", "*", "http://localhost:3000, https://app.example.com", "http://[::1]:3000", "HTTPS://App.Example.com:443"}, []string{
			"localhost:3000", "http://localhost:3000/", "http://localhost/app", "ftp://localhost", "http://", "http://u@localhost", "null",
			"https://*.example.com", "https://a.example.com https://b.example.com", "https://a.example.com,b", "https://a.example.com?x", "https://a.example.com:",
		}},
		{"CORS_ORIGINS", inProduction, []string{"", "https://app.example.com,http://localhost:3000"}, []string{"*", "https://app.example.com,*", "http://app.example.com"}},
		{"HOST", inDevelopment, []string{"", "127.0.0.1", "127.8.8.8", "::1", "localhost", "::ffff:127.0.0.1"}, []string{"0.0.0.0", "::", "192.168.1.7", "example.com", "127.0.0.1:80"}},
		{"HOST", inTest, []string{"", "localhost"}, []string{"0.0.0.0"}},
		{"HOST", inProduction, []string{"0.0.0.0", "::", "10.0.0.5", "api.internal"}, []string{"[::1]", "0.0.0.0:80", "a b", "http://0.0.0.0"}},
		{"PORT", inDevelopment, []string{"", "0", "65535"}, []string{"-1", "65536", "http", "80 80"}},
		{"ADMIN_HOST", inDevelopment, []string{"", "::1"}, []string{"0.0.0.0"}},
		{"ADMIN_HOST", inProduction, []string{"", "10.0.0.5"}, []string{"10.0.0.5:81"}},
		{"ADMIN_PORT", inDevelopment, []string{"", "-1", "0", "9090"}, []string{"-2", "65536", "8080", "off"}},
		{"PUBLIC_URL", inDevelopment, []string{"", "http://localhost:8080", "https://api.example.com/"}, []string{"api.example.com", "https://api.example.com/v1", "ftp://api.example.com"}},
		{"PUBLIC_URL", inProduction, []string{"https://api.example.com"}, []string{"", "http://api.example.com"}},
		{"TRUSTED_PROXIES", inDevelopment, []string{"", "10.0.0.7", "10.0.0.0/8, ::1,fd00::/8"}, []string{"10.0.0.0/33", "proxy", "0.0.0.0/0", "10.0.0.1,::/0"}},
		{"TRUSTED_PROXIES", inProduction, []string{"10.0.0.7"}, []string{"", "anybody"}},
		{"TLS_CERT_FILE", tlsWith(keyFile), []string{certFile}, []string{"", "/no/such/file", otherCert, keyFile}},
		{"TLS_KEY_FILE", inDevelopment, []string{""}, nil},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", inProduction, []string{"", "http://localhost:4318", "https://collector.example.com/otlp/"}, []string{
			"localhost:4318", "grpc://localhost:4317", "https://u:p@collector.example.com", "https://collector.example.com?key=1", "http://",
		}},
		{"OTEL_EXPORTER_OTLP_HEADERS", inDevelopment, []string{"", "api-key=a%2Cb%3D, other=x=y"}, []string{"api-key", "=x", "a=%zz"}},
		{"OTEL_SERVICE_NAME", inDevelopment, []string{"", "shop"}, nil},
		{"OTEL_TRACES_SAMPLER_ARG", inDevelopment, []string{"", "0", "0.25", "1"}, []string{"-0.1", "1.1", "NaN", "all"}},
		{"ACCESS_TOKEN_TTL", inDevelopment, []string{"", "15m", "30m", "1200"}, []string{"14m59s", "30m1s", "15", "-15m"}},
		{"REFRESH_TOKEN_TTL", inDevelopment, []string{"", "720h", "16m"}, []string{"15m", "10m", "0", "7d"}},
		{"BCRYPT_COST", inDevelopment, []string{"", "12", "16"}, []string{"11", "4", "17", "high"}},
		{"BCRYPT_COST", inProduction, []string{"", "13"}, []string{"11", "4"}},
		{"BCRYPT_COST", inTest, []string{"", "4", "12"}, []string{"3", "17"}},
		{"SMTP_URL", inDevelopment, []string{"", "smtp://u:p@mail.example.com:587", "smtps://mail.example.com"}, []string{"mail.example.com", "http://mail.example.com", "smtp://u:p/w@mail.example.com"}},
		{"MAIL_FROM", inDevelopment, []string{"", "a@example.com", "Shop <a@example.com>"}, []string{"a", "Shop <a>", "a@example.com, b@example.com"}},
		{"MAIL_FROM", withSMTP, []string{"a@example.com"}, []string{""}},
		// bare-drops {
		{"FILES_URL", inDevelopment, []string{"", "file:///var/lib/accord/files", "s3://accord", "s3://accord?region=garage&endpoint=http://127.0.0.1:3900"}, []string{
			"/var/lib/accord/files", "file://files", "s3://", "s3://key:secret@accord", "s3://accord?endpoint=127.0.0.1", "gs://accord",
		}},
		{"FILES_URL", inProduction, []string{"file:///var/lib/accord/files"}, []string{""}},
		{"FILES_MAX_PER_USER", inDevelopment, []string{"", "1", "1024", "500MiB", "2 GiB", "8388607TiB"}, []string{"0", "0GiB", "-1", "-1MiB", "1.5GiB", "1GB", "GiB", "much", "8388608TiB", "9223372036854775808"}},
		// bare-drops }
		{"LOG_LEVEL", inDevelopment, []string{"", "debug", "INFO", "warn", "error"}, []string{"info+2", "warning", "trace", "0"}},
		{"SENTRY_DSN", inDevelopment, []string{"", "https://key@sentry.example.com/42"}, []string{"sentry.example.com", "https://sentry.example.com/42", "https://key@sentry.example.com"}},
		{"AUDIT_RETENTION", inDevelopment, []string{"", "24h", "86400", "0"}, []string{"400", "23h", "-24h", "400d"}},
		{"SHUTDOWN_TIMEOUT", inDevelopment, []string{"", "5", "1m"}, []string{"0", "-1s", "later"}},
		{"DOCS", inDevelopment, []string{"", "true", "false"}, []string{"on"}},
	}
	tested := map[string]bool{}
	for _, test := range tests {
		tested[test.setting] = true
		for _, good := range test.good {
			if got := faultySettings(t, test.in(variables{test.setting: good})); got != nil {
				t.Errorf("%s=%q: got faults in %v", test.setting, good, got)
			}
		}
		for _, bad := range test.bad {
			if got := faultySettings(t, test.in(variables{test.setting: bad})); !slices.Equal(got, []string{test.setting}) {
				t.Errorf("%s=%q: got faults in %v", test.setting, bad, got)
			}
		}
	}
	for _, setting := range mustValue(server.LoadConfig(nil)).Settings(nil) {
		if !tested[setting.Name] {
			t.Errorf("%s has no row in this test", setting.Name)
		}
	}
}

// A key of few characters is told what it lacks.
func TestFewDifferentCharactersAreNoKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{strings.Repeat("k", 32), strings.Repeat("abc", 11), strings.Repeat("12345679", 8)} {
		_, err := server.LoadConfig(inProduction(variables{"SECRET_KEY": key}))
		if err == nil || !strings.Contains(err.Error(), "SECRET_KEY must have at least 10 different characters; make one with: openssl rand -base64 48") || strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func inDevelopment(changes variables) variables { return changes }

func withSMTP(changes variables) variables {
	environ := inProduction(variables{"SMTP_URL": "smtps://mail.example.com"})
	maps.Copy(environ, changes)
	return environ
}

func tlsWith(keyFile string) func(variables) variables {
	return func(changes variables) variables {
		environ := inProduction(variables{"TLS_KEY_FILE": keyFile, "TRUSTED_PROXIES": ""})
		maps.Copy(environ, changes)
		return environ
	}
}

// With a certificate of its own, production needs no proxy; half a pair is
// named as what it is and not as the lack of HTTPS.
func TestConfigTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeCertificate(t)
	for _, test := range []struct{ cert, key, wrong string }{
		{certFile, keyFile, ""}, {certFile, "", "TLS_KEY_FILE"}, {"", keyFile, "TLS_CERT_FILE"}, {"", "", "TRUSTED_PROXIES"},
	} {
		got := faultySettings(t, inProduction(variables{"TRUSTED_PROXIES": "", "TLS_CERT_FILE": test.cert, "TLS_KEY_FILE": test.key}))
		if strings.Join(got, ",") != test.wrong {
			t.Errorf("cert %q, key %q: got %v, want %s", test.cert, test.key, got, test.wrong)
		}
	}
	config := mustValue(server.LoadConfig(variables{"TLS_CERT_FILE": certFile, "TLS_KEY_FILE": keyFile}))
	if !config.TLS() || config.PublicURL != "https://127.0.0.1:8080" {
		t.Errorf("got TLS %t at %s", config.TLS(), config.PublicURL)
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	config := mustValue(server.LoadConfig(nil))
	if !config.Development() || config.Production() || !config.SecretKey.IsSet() || config.DatabaseURL.IsSet() || !config.Docs || config.MigrateOnStart {
		t.Errorf("got %v", config)
	}
	if config.Address() != "127.0.0.1:8080" || config.AdminAddress() != "127.0.0.1:0" || config.PublicURL != "http://127.0.0.1:8080" {
		t.Errorf("got %s, %s, %s", config.Address(), config.AdminAddress(), config.PublicURL)
	}
	if config.AccessTokenTTL != 15*time.Minute || config.RefreshTokenTTL != 7*24*time.Hour || config.BcryptCost != 12 {
		t.Errorf("got %v, %v, %d", config.AccessTokenTTL, config.RefreshTokenTTL, config.BcryptCost)
	}
	if config.DBPoolSize != 20 || config.DBPoolOverflow != 10 || config.DBConnMaxLifetime != time.Hour || config.DBAcquireTimeout != 30*time.Second {
		t.Errorf("got pool %d+%d, %v, %v", config.DBPoolSize, config.DBPoolOverflow, config.DBConnMaxLifetime, config.DBAcquireTimeout)
	}
	// bare-drops {
	if config.FilesURL != "" || config.FilesMaxPerUser != 1<<30 {
		t.Errorf("got files in %q, at most %d", config.FilesURL, config.FilesMaxPerUser)
	}
	// bare-drops }
	if !slices.Equal(config.CORSOrigins, []string{"http://localhost:3000"}) || config.MailFrom != `"Accord" <no-reply@localhost>` || config.LogLevel != slog.LevelInfo {
		t.Errorf("got %v, %s, %v", config.CORSOrigins, config.MailFrom, config.LogLevel)
	}

	config = mustValue(server.LoadConfig(inProduction(nil)))
	if config.Development() || !config.Production() || config.Docs || config.CORSOrigins != nil || config.AdminAddress() != "127.0.0.1:8081" {
		t.Errorf("got %v", config)
	}
	if config.DatabaseDirectURL.Reveal() != config.DatabaseURL.Reveal() {
		t.Error("DATABASE_DIRECT_URL is not DATABASE_URL by default")
	}
}

func TestConfigValues(t *testing.T) {
	t.Parallel()
	config := mustValue(server.LoadConfig(variables{
		"CORS_ORIGINS": " HTTPS://App.Example.com:443 ,, http://localhost:80,http://localhost:3000", "TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.7,::1",
		"DB_CONN_MAX_LIFETIME": "90", "PUBLIC_URL": "https://api.example.com/", "PORT": " 0 ", "ADMIN_PORT": "-1", "DOCS": "false",
	}))
	if !slices.Equal(config.CORSOrigins, []string{"https://app.example.com", "http://localhost", "http://localhost:3000"}) {
		t.Errorf("got origins %v", config.CORSOrigins)
	}
	if got := fmt.Sprint(config.TrustedProxies); got != "[10.0.0.0/8 192.0.2.7/32 ::1/128]" {
		t.Errorf("got proxies %s", got)
	}
	if config.DBConnMaxLifetime != 90*time.Second || config.PublicURL != "https://api.example.com" || config.Port != 0 || config.AdminAddress() != "" || config.Docs {
		t.Errorf("got %v", config)
	}
	if got := mustValue(server.LoadConfig(variables{"PORT": "0"})).PublicURL; got != "" {
		t.Errorf("got %q, but the port is not known yet", got)
	}
	if got := mustValue(server.LoadConfig(variables{"HOST": "::1"})).PublicURL; got != "http://[::1]:8080" {
		t.Errorf("got %q", got)
	}
}

// One start tells everything that has to be mended, in the order of the table.
func TestConfigNamesAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	got := faultySettings(t, variables{
		"ENVIRONMENT": "production", "PORT": "http", "BCRYPT_COST": "4", "DOCS": "maybe", "ACCESS_TOKEN_TTL": "1h", "CORS_ORIGINS": "*", "TRUSTED_PROXIES": "x",
	})
	want := []string{"SECRET_KEY", "DATABASE_URL", "CORS_ORIGINS", "PORT", "PUBLIC_URL", "TRUSTED_PROXIES", "ACCESS_TOKEN_TTL", "BCRYPT_COST",
		"FILES_URL", // bare-drops
		"DOCS",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	_, err := server.LoadConfig(variables{"PORT": "http"})
	if want := "1 setting is wrong:\n  PORT must be a whole number"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// What the table says is needed in production is what production refuses to
// start without.
func TestConfigRequired(t *testing.T) {
	t.Parallel()
	got := faultySettings(t, variables{"ENVIRONMENT": "production", "TRUSTED_PROXIES": "10.0.0.7"})
	var want []string
	for row := range strings.SplitSeq(server.SettingsMarkdown(), "\n") {
		if cells := strings.Split(row, " | "); len(cells) == 4 && cells[2] == "production" {
			want = append(want, strings.Trim(cells[0], "| `"))
		}
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestConfigNeverPrintsSecrets(t *testing.T) {
	t.Parallel()
	secrets := variables{
		"SECRET_KEY": goodKey + "canary", "SECRET_KEY_PREVIOUS": goodKey[2:] + "canary", "SENTRY_DSN": "https://canary@sentry.example.com/1",
		"DATABASE_URL": "postgres://u:canary@h/n", "DATABASE_DIRECT_URL": "postgres://u:canary@d/n", "REDIS_URL": "redis://u:canary@r",
		"SMTP_URL": "smtps://u:canary@mail.example.com", "MAIL_FROM": "a@example.com",
		"OTEL_EXPORTER_OTLP_HEADERS": "key=canary",
	}
	config := mustValue(server.LoadConfig(inProduction(secrets)))
	// fmt does not call the methods of what stands in an unexported field.
	hidden := struct {
		config server.Config
		secret server.Secret
	}{config, config.SecretKey}

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
		for _, value := range []any{config, &config, config.SecretKey, &config.SecretKey, hidden, &hidden, []any{config}} {
			notCanary(t, verb, fmt.Sprintf(verb, value))
		}
	}
	for _, value := range []any{config, config.Settings(nil), config.SecretKey} {
		notCanary(t, "JSON", string(mustValue(json.Marshal(value))))
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		notCanary(t, "slog", log.String())
	}
	if got := config.SecretKey.Reveal(); got != secrets["SECRET_KEY"] {
		t.Errorf("got %q", got)
	}
}

// A secret may be wrong itself, or stand where it does not belong.
func TestConfigErrorsNeverPrintValues(t *testing.T) {
	t.Parallel()
	for _, setting := range mustValue(server.LoadConfig(nil)).Settings(nil) {
		switch setting.Name {
		case "ENVIRONMENT", "JWT_KEY_FILE", "TLS_CERT_FILE", "TLS_KEY_FILE": // A file that is missing is named.
			continue
		}
		for _, value := range []string{"canary", "smtp://u:ca/canary@h", "postgres://u:canary/canary@h:canary/n", "redis://u:canary@h/canary?canary=canary", "http://u:canary@canary%zz", "canary\n\x00"} {
			_, err := server.LoadConfig(inProduction(variables{setting.Name: value}))
			notCanary(t, setting.Name+"="+value, fmt.Sprintf("%v %+v", err, err))
		}
	}
}

func notCanary(t *testing.T, what, text string) {
	t.Helper()
	if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) || strings.Contains(text, fmt.Sprintf("%X", "canary")) {
		t.Errorf("%s prints a secret: %s", what, text)
	}
}

func TestConfigSettings(t *testing.T) {
	t.Parallel()
	config := mustValue(server.LoadConfig(variables{"PORT": "9000", "SECRET_KEY": "hush", "LOG_LEVEL": "warn", "TRUSTED_PROXIES": "10.0.0.0/8,::1"}))
	rows := config.Settings(variables{"PORT": server.SourceFile, "SECRET_KEY": server.SourceEnvironment})
	want := map[string][2]string{
		"PORT": {"9000", ".env"}, "SECRET_KEY": {"(hidden)", "environment"}, "HOST": {"127.0.0.1", "default"}, "SMTP_URL": {"(unset)", "default"},
		"ACCESS_TOKEN_TTL": {"15m", "default"}, "REFRESH_TOKEN_TTL": {"168h", "default"}, "DB_ACQUIRE_TIMEOUT": {"30s", "default"}, "LOG_LEVEL": {"warn", "default"},
		"FILES_URL":          {"(unset)", "default"}, // bare-drops
		"FILES_MAX_PER_USER": {"1GiB", "default"},    // bare-drops
		"TRUSTED_PROXIES":    {"10.0.0.0/8,::1/128", "default"}, "JWT_KEY_FILE": {"(unset)", "default"}, "DOCS": {"true", "default"},
	}
	for _, row := range rows {
		if pair, ok := want[row.Name]; ok && (row.Value != pair[0] || row.Source != pair[1]) {
			t.Errorf("%s: got %q from %s, want %q", row.Name, row.Value, row.Source, pair)
		}
		if row.Help == "" || !strings.HasSuffix(row.Help, ".") || strings.Contains(row.Help, "|") {
			t.Errorf("%s: got help %q", row.Name, row.Help)
		}
		delete(want, row.Name)
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
}

// Not parallel, because of the environment.
func TestEnviron(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ENVIRONMENT", "")
	t.Setenv("PORT", "9000")
	t.Setenv("SMTP_URL", "")
	writeFile(t, filepath.Join(dir, ".env"), "PORT=1\nSMTP_URL=smtp://localhost\nPROJECT_NAME='a $HOME # b'\nADMIN_PORT=7\nHOST=\n")

	environ, sources, err := server.Environ(dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"PORT": {"9000", "environment"}, "SMTP_URL": {"", ""}, "PROJECT_NAME": {"a $HOME # b", ".env"}, "ADMIN_PORT": {"7", ".env"}, "HOST": {"", ""},
	} {
		if environ[name] != want[0] || sources[name] != want[1] {
			t.Errorf("%s: got %q from %q, want %q", name, environ[name], sources[name], want)
		}
	}

	t.Setenv("ENVIRONMENT", "production")
	environ, _, err = server.Environ(dir, os.Environ())
	if _, ok := environ["ADMIN_PORT"]; ok || err != nil {
		t.Errorf("production read .env: %v", err)
	}
	t.Setenv("ENVIRONMENT", "development")
	if _, _, err = server.Environ(t.TempDir(), os.Environ()); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

// Not parallel, because of the environment.
func TestEnvironFaults(t *testing.T) {
	t.Setenv("ENVIRONMENT", "")
	for text, want := range map[string]string{
		"A=1\n\nB=2\nthe canary\nC=3\n":    "line 4 is not of the form NAME=value",
		"A='canary\nB=2\n":                 "line 1 is not of the form NAME=value",
		"A=1\nENVIRONMENT=production\n":    "the file is for development",
		"A=1\nENVIRONMENT=prod # canary\n": "the file is for development",
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, ".env"), text)
		_, _, err := server.Environ(dir, os.Environ())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
		notCanary(t, text, fmt.Sprint(err))
	}
}

func TestConfigurationDocument(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	for line := range strings.Lines(readFile(t, "../docs/configuration.md")) {
		if strings.HasPrefix(line, "|") {
			table.WriteString(line)
		}
	}
	if want := server.SettingsMarkdown(); table.String() != want {
		t.Errorf("the table in docs/configuration.md has to be:\n%s", want)
	}
}

// .env.example names only settings that exist, and a copy without the comment
// signs works.
func TestDotenvExample(t *testing.T) {
	t.Parallel()
	known := mustValue(server.LoadConfig(nil)).Settings(nil)
	text := regexp.MustCompile(`(?m)^#([A-Z_]+=)`).ReplaceAllString(readFile(t, "../.env.example"), "$1")
	environ, err := godotenv.Unmarshal(text)
	if err != nil || len(environ) == 0 {
		t.Fatalf("got %v, %v", environ, err)
	}
	for name := range environ {
		if !slices.ContainsFunc(known, func(s server.Setting) bool { return s.Name == name }) {
			t.Errorf("%s is not a setting", name)
		}
	}
	if _, err := server.LoadConfig(environ); err != nil {
		t.Error(err)
	}
}

// Every key that stands in a document is one that production refuses.
func TestExampleKeysAreRefused(t *testing.T) {
	t.Parallel()
	files := append(mustValue(filepath.Glob("../docs/*.md")), mustValue(filepath.Glob("../*.md"))...)
	for _, file := range append(files, "../.env.example") {
		for _, found := range regexp.MustCompile(`SECRET_KEY=["']?([^\s"'`+"`"+`$]+)`).FindAllStringSubmatch(readFile(t, file), -1) {
			if faultySettings(t, inProduction(variables{"SECRET_KEY": found[1]})) == nil {
				t.Errorf("production takes the example %q in %s", found[1], file)
			}
		}
	}
}

// writeCertificate gives the files of a certificate and of its key.
func writeCertificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key := mustValue(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate := mustValue(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})))
	writeFile(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: mustValue(x509.MarshalPKCS8PrivateKey(key))})))
	return certFile, keyFile
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func mustValue[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
