package server

import (
	"crypto/tls"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/getsentry/sentry-go"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/mail"
	"github.com/accord-api/accord/tracing"
)

// configRule tells what is wrong with one setting and what would be right, as
// the end of a sentence that begins with its name; "" when nothing is.
type configRule struct {
	setting string
	problem func(*Config) string
}

var configRules = []configRule{
	{"PROJECT_NAME", projectNameProblem},
	{"ENVIRONMENT", environmentProblem},
	{"SECRET_KEY", func(c *Config) string { return c.secretKeyProblem(c.SecretKey) }},
	{"SECRET_KEY_PREVIOUS", secretKeyPreviousProblem},
	{"JWT_KEY_FILE", jwtKeyFileProblem},
	{"DATABASE_URL", databaseProblem},
	{"DATABASE_DIRECT_URL", databaseDirectProblem},
	{"DB_POOL_SIZE", func(c *Config) string { return rangeProblem(c.DBPoolSize, 1, 1000) }},
	{"DB_POOL_OVERFLOW", func(c *Config) string { return rangeProblem(c.DBPoolOverflow, 0, 1000) }},
	{"DB_CONN_MAX_LIFETIME", func(c *Config) string { return positiveProblem(c.DBConnMaxLifetime) }},
	{"DB_ACQUIRE_TIMEOUT", func(c *Config) string { return positiveProblem(c.DBAcquireTimeout) }},
	{"REDIS_URL", redisProblem},
	{"CORS_ORIGINS", corsProblem},
	{"HOST", func(c *Config) string { return c.hostProblem(c.Host) }},
	{"PORT", func(c *Config) string { return rangeProblem(c.Port, 0, 65535) }},
	{"ADMIN_HOST", func(c *Config) string { return c.hostProblem(c.AdminHost) }},
	{"ADMIN_PORT", adminPortProblem},
	{"PUBLIC_URL", publicURLProblem},
	{"TRUSTED_PROXIES", trustedProxiesProblem},
	{"TLS_CERT_FILE", tlsCertProblem},
	{"TLS_KEY_FILE", tlsKeyProblem},
	{"ACCESS_TOKEN_TTL", accessTokenProblem},
	{"REFRESH_TOKEN_TTL", refreshTokenProblem},
	{"BCRYPT_COST", bcryptProblem},
	{"SMTP_URL", smtpProblem},
	{"MAIL_FROM", mailFromProblem},
	{"FILES_URL", filesProblem},             // bare-drops
	{"FILES_MAX_PER_USER", filesMaxProblem}, // bare-drops
	{"AUDIT_RETENTION", auditRetentionProblem},
	{"LOG_LEVEL", logLevelProblem},
	{"SENTRY_DSN", sentryProblem},
	{"OTEL_EXPORTER_OTLP_ENDPOINT", otlpEndpointProblem},
	{"OTEL_EXPORTER_OTLP_HEADERS", otlpHeadersProblem},
	{"OTEL_TRACES_SAMPLER_ARG", tracesRatioProblem},
	{"SHUTDOWN_TIMEOUT", func(c *Config) string { return positiveProblem(c.ShutdownTimeout) }},
}

// ruleFaults checks every setting that parsed.
func ruleFaults(config *Config, unparsed []ConfigFault) []ConfigFault {
	var faults []ConfigFault
	for _, rule := range configRules {
		named := func(f ConfigFault) bool { return f.Setting == rule.setting }
		if slices.ContainsFunc(unparsed, named) {
			continue
		}
		if problem := rule.problem(config); problem != "" {
			faults = append(faults, ConfigFault{rule.setting, problem})
		}
	}
	return faults
}

// missing is the problem of a setting that is unset and that production needs.
func (c *Config) missing(example string) string {
	if !c.Production() {
		return ""
	}
	return "must be set in production: " + example
}

func projectNameProblem(c *Config) string {
	if len(c.ProjectName) > 100 || strings.ContainsFunc(c.ProjectName, unicode.IsControl) {
		return "must be one line of at most 100 bytes"
	}
	return ""
}

func environmentProblem(c *Config) string {
	if slices.Contains([]Environment{Development, Test, Production}, c.Environment) {
		return ""
	}
	return "must be development, test or production"
}

// secretKeyProblem is about production only: elsewhere nothing but loopback
// reaches the server.
func (c *Config) secretKeyProblem(key Secret) string {
	const example = "make one with: openssl rand -base64 48"
	switch {
	case !c.Production():
		return ""
	case !key.IsSet():
		return c.missing(example)
	case len([]rune(key.Reveal())) < 32:
		return "must have at least 32 characters; " + example
	case isExampleKey(key.Reveal()):
		return "must not be an example from the documentation; " + example
	case different(key.Reveal()) < fewestDifferent:
		return fmt.Sprintf("must have at least %d different characters; %s", fewestDifferent, example)
	case isWeakKey(key.Reveal()):
		return "must be random; " + example
	}
	return ""
}

func secretKeyPreviousProblem(c *Config) string {
	if !c.SecretKeyPrevious.IsSet() {
		return ""
	}
	if c.SecretKeyPrevious.Reveal() == c.SecretKey.Reveal() {
		return "must be another key than SECRET_KEY; leave it unset when the key was not changed"
	}
	return c.secretKeyProblem(c.SecretKeyPrevious)
}

// isExampleKey recognises the words that placeholders are made of. A random
// key holds one of them less than once in millions of times.
func isExampleKey(key string) bool {
	key = strings.ToLower(key)
	words := []string{"changeme", "change-me", "change_me", "example", "replace", "placeholder", "development", "insecure", "secret-key", "secret_key", "secretkey"}
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(key, word) })
}

// fewestDifferent is how many different characters a key has at least. Of 32
// random hexadecimal digits fewer are different in one of ten thousand keys.
const fewestDifferent = 10

func different(key string) int {
	chars := make(map[rune]bool)
	for _, char := range key {
		chars[char] = true
	}
	return len(chars)
}

// isWeakKey recognises what hands type instead of a random key: a piece that
// repeats, a walk along the alphabet.
func isWeakKey(key string) bool {
	neighbours, last := 0, rune(-2)
	for _, char := range key {
		if -1 <= char-last && char-last <= 1 {
			neighbours++
		}
		last = char
	}
	return neighbours > len(key)/2 || repeats(key)
}

// repeats tells whether text is a piece of at most half its length, over and
// over again. Then it is found in itself, shifted by that piece.
func repeats(text string) bool {
	for period := 1; period <= len(text)/2; period++ {
		if text[period:] == text[:len(text)-period] {
			return true
		}
	}
	return false
}

func jwtKeyFileProblem(c *Config) string {
	if c.JWTKeyFile == "" {
		return ""
	}
	// Tokens are made only to see whether the file would do.
	_, err := auth.NewTokens(auth.TokenConfig{Issuer: "-", Audience: "-", ClientID: "-", KeyFile: c.JWTKeyFile})
	if err != nil {
		return fmt.Sprintf("must name a PEM file with a private key (openssl genpkey -algorithm ed25519 makes one): %v", err)
	}
	return ""
}

const databaseExample = "postgres://user:password@host:5432/name"

func databaseProblem(c *Config) string {
	if !c.DatabaseURL.IsSet() {
		return c.missing(databaseExample)
	}
	return databaseURLProblem(c.DatabaseURL)
}

// databaseURLProblem never repeats pgx's own error: it may quote the password.
func databaseURLProblem(address Secret) string {
	if _, err := pgx.ParseConfig(address.Reveal()); err != nil {
		return "must be the address of a PostgreSQL database: " + databaseExample +
			" (percent-encode special characters in the password)"
	}
	return ""
}

func databaseDirectProblem(c *Config) string {
	if c.DatabaseDirectURL.Reveal() == c.DatabaseURL.Reveal() {
		return "" // Its default: what is wrong is said of DATABASE_URL.
	}
	return databaseURLProblem(c.DatabaseDirectURL)
}

// redisProblem never repeats the parser's own error: it may quote the password.
func redisProblem(c *Config) string {
	if !c.RedisURL.IsSet() {
		return ""
	}
	if _, err := redisOptions(c.RedisURL); err != nil {
		return "must be the address of a Redis: redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path/to/socket" +
			" (percent-encode special characters in the password)"
	}
	return ""
}

func rangeProblem(value, least, most int) string {
	if least <= value && value <= most {
		return ""
	}
	return fmt.Sprintf("must be from %d to %d", least, most)
}

// auditRetentionProblem refuses what is likelier a slip, such as 400 for days.
func auditRetentionProblem(c *Config) string {
	if c.AuditRetention == 0 || c.AuditRetention >= 24*time.Hour {
		return ""
	}
	return "must be 24h or more, or 0 to keep the audit trail for ever"
}

func positiveProblem(value time.Duration) string {
	if value > 0 {
		return ""
	}
	return "must be longer than 0s"
}

func corsProblem(c *Config) string {
	for i, origin := range c.CORSOrigins {
		if problem := c.originProblem(origin); problem != "" {
			return fmt.Sprintf("entry %d %s", i+1, problem)
		}
	}
	return ""
}

func (c *Config) originProblem(origin string) string {
	if origin == "*" {
		if c.Production() {
			return "must not be *: name the origins, such as https://app.example.com"
		}
		return ""
	}
	u, ok := parseOrigin(origin)
	switch {
	case !ok:
		return "must be an origin with no path, such as https://app.example.com"
	case c.Production() && u.Scheme != "https" && !isLoopbackName(u.Hostname()):
		return "must be https in production, localhost apart"
	}
	return ""
}

// parseOrigin reads scheme://host[:port], and refuses all that goes beyond it.
func parseOrigin(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Contains(u.Host, "*") {
		return nil, false
	}
	return u, u.Scheme+"://"+u.Host == text && !strings.HasSuffix(u.Host, ":")
}

// hostProblem keeps everything but production away from the network: its keys
// and passwords are in the documentation.
func (c *Config) hostProblem(host string) string {
	if !isHost(host) {
		return "must be an address or a host name, without a port: 127.0.0.1, 0.0.0.0 or ::1"
	}
	if (c.Development() || c.Environment == Test) && !isLoopbackName(host) {
		return "must be loopback (127.0.0.1, ::1 or localhost) unless ENVIRONMENT is production"
	}
	return ""
}

func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return !strings.ContainsFunc(host, func(char rune) bool {
		return char != '-' && char != '.' && !unicode.IsLetter(char) && !unicode.IsDigit(char)
	})
}

func isLoopbackName(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return address.Unmap().IsLoopback()
}

func adminPortProblem(c *Config) string {
	if c.AdminPort > 0 && c.AdminPort == c.Port {
		return "must be another port than PORT"
	}
	return rangeProblem(c.AdminPort, -1, 65535)
}

func publicURLProblem(c *Config) string {
	const example = "the address that clients use, such as https://api.example.com"
	if c.PublicURL == "" {
		return c.missing(example)
	}
	if c.PublicURL == c.ListenURL(c.Address()) && !c.Production() {
		return "" // Its default: what is wrong is said of HOST and PORT.
	}
	u, ok := parseOrigin(c.PublicURL)
	switch {
	case !ok:
		return "must have a scheme and a host and no path: " + example
	case c.Production() && u.Scheme != "https":
		return "must be https in production: " + example
	}
	return ""
}

// trustedProxiesProblem also keeps production from answering over plain HTTP:
// somebody before the server, or itself, has to end TLS.
func trustedProxiesProblem(c *Config) string {
	for _, prefix := range c.TrustedProxies {
		if prefix.Bits() == 0 {
			return "must not be every address: any client could then choose its own; name the proxies"
		}
	}
	if c.Production() && len(c.TrustedProxies) == 0 && c.TLSCertFile == "" && c.TLSKeyFile == "" {
		return "must name the proxy that ends TLS, for production is HTTPS only; or set TLS_CERT_FILE and TLS_KEY_FILE"
	}
	return ""
}

func tlsCertProblem(c *Config) string {
	if c.TLSCertFile == "" && c.TLSKeyFile != "" {
		return "must be set together with TLS_KEY_FILE"
	}
	if !c.TLS() {
		return ""
	}
	if _, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile); err != nil {
		return fmt.Sprintf("and TLS_KEY_FILE must be a certificate and its key in PEM files: %v", err)
	}
	return ""
}

func tlsKeyProblem(c *Config) string {
	if c.TLSKeyFile == "" && c.TLSCertFile != "" {
		return "must be set together with TLS_CERT_FILE"
	}
	return ""
}

func accessTokenProblem(c *Config) string {
	if 15*time.Minute <= c.AccessTokenTTL && c.AccessTokenTTL <= 30*time.Minute {
		return ""
	}
	return "must be from 15m to 30m"
}

func refreshTokenProblem(c *Config) string {
	if c.RefreshTokenTTL > c.AccessTokenTTL {
		return ""
	}
	return "must be longer than ACCESS_TOKEN_TTL"
}

func bcryptProblem(c *Config) string {
	if c.Environment == Test {
		return rangeProblem(c.BcryptCost, 4, 16)
	}
	return rangeProblem(c.BcryptCost, 12, 16)
}

func smtpProblem(c *Config) string {
	if !c.SMTPURL.IsSet() {
		return ""
	}
	if err := mail.CheckSMTP(c.SMTPURL.Reveal()); err != nil {
		return "must be smtp://user:password@host:587 or smtps://user:password@host:465: " + err.Error()
	}
	return ""
}

func mailFromProblem(c *Config) string {
	const example = "Accord <no-reply@example.com>"
	if c.MailFrom == "" {
		return c.missing(example)
	}
	if _, err := netmail.ParseAddress(c.MailFrom); err != nil {
		return "must be a mail address: " + example
	}
	return ""
}

func logLevelProblem(c *Config) string {
	if slices.Contains([]string{"DEBUG", "INFO", "WARN", "ERROR"}, c.LogLevel.String()) {
		return ""
	}
	return "must be debug, info, warn or error"
}

func sentryProblem(c *Config) string {
	if !c.SentryDSN.IsSet() {
		return ""
	}
	if _, err := sentry.NewDsn(c.SentryDSN.Reveal()); err != nil {
		return "must be a DSN from Sentry: https://key@host/project"
	}
	return ""
}

func otlpEndpointProblem(c *Config) string {
	if c.OTLPEndpoint == "" {
		return ""
	}
	u, err := url.Parse(c.OTLPEndpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "must be the URL of a collector, such as http://localhost:4318, without credentials: those are OTEL_EXPORTER_OTLP_HEADERS"
	}
	return ""
}

func otlpHeadersProblem(c *Config) string {
	if tracing.CheckHeaders(c.OTLPHeaders.Reveal()) != nil {
		return "must be name=value, separated by commas, both percent-encoded"
	}
	return ""
}

func tracesRatioProblem(c *Config) string {
	if 0 <= c.TracesRatio && c.TracesRatio <= 1 {
		return ""
	}
	return "must be from 0 to 1"
}
