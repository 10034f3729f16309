package server

import (
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Environment says what the server is run for.
type Environment string

// The three environments. Only production may be reached from a network.
const (
	Development Environment = "development"
	Test        Environment = "test"
	Production  Environment = "production"
)

// developmentSecretKey signs in development and test, where nothing but
// loopback is listened on. Production refuses it as it refuses all examples.
const developmentSecretKey = "accord-development-key-not-a-secret"

// Config holds every setting of the server, checked. LoadConfig makes it.
//
// The tags are the one place where a setting is described: env is its name,
// default what holds when it is unset, production what holds there instead,
// derived how the default follows from other settings, required the environment
// that does not start without it, help its meaning. The loader, `accord config`
// and docs/configuration.md are all made from them.
type Config struct {
	ProjectName string      `env:"PROJECT_NAME" default:"Accord" help:"The name in the API's title, in mails and in tokens."`
	Environment Environment `env:"ENVIRONMENT" default:"development" help:"What the server is run for: development, test or production. Only production may listen beyond loopback."`

	SecretKey         Secret `env:"SECRET_KEY" required:"production" derived:"a fixed key; production: none" help:"The root of all keys: tokens, cursors, passwords. At least 32 random characters, the same on every instance."`
	SecretKeyPrevious Secret `env:"SECRET_KEY_PREVIOUS" help:"The SECRET_KEY before the last change, so that what it signed and hashed stays valid."`
	JWTKeyFile        string `env:"JWT_KEY_FILE" help:"A PEM file with the private key that signs access tokens; its public half is published as a JWKS. Unset: tokens are signed with a key derived from SECRET_KEY."`

	DatabaseURL       Secret        `env:"DATABASE_URL" required:"production" derived:"a private PostgreSQL; production: none" help:"The PostgreSQL database: postgres://user:password@host:5432/name. A pooler such as PgBouncer may stand before it."`
	DatabaseDirectURL Secret        `env:"DATABASE_DIRECT_URL" derived:"DATABASE_URL" help:"The same database with no pooler between, for LISTEN, jobs and migrations."`
	DBPoolSize        int           `env:"DB_POOL_SIZE" default:"20" help:"Database connections that are kept open."`
	DBPoolOverflow    int           `env:"DB_POOL_OVERFLOW" default:"10" help:"Further connections at a peak, closed soon after use."`
	DBConnMaxLifetime time.Duration `env:"DB_CONN_MAX_LIFETIME" default:"1h" help:"The age at which a connection is replaced."`
	DBAcquireTimeout  time.Duration `env:"DB_ACQUIRE_TIMEOUT" default:"30s" help:"The longest wait for a free connection; a request never waits beyond its own deadline."`
	Jobs              bool          `env:"JOBS" default:"true" help:"Whether accord serve works on jobs as well. With false, accord worker has to run somewhere."`
	MigrateOnStart    bool          `env:"MIGRATE_ON_START" default:"false" help:"Whether the server migrates the database when it starts. In development it always does."`
	RedisURL          Secret        `env:"REDIS_URL" help:"A Redis in which several instances share their rate limits and the answers that they keep: redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path/to/socket. A request waits for it as long as ?read_timeout= says, 50ms by default. Unset, or while Redis fails: each instance counts and keeps alone."`
	CORSOrigins       []string      `env:"CORS_ORIGINS" default:"http://localhost:3000" production:"" help:"The web origins that may call the API from a browser, separated by commas. Production takes https origins only, localhost apart, and no *."`

	Host      string `env:"HOST" default:"127.0.0.1" help:"The address to listen on, without the port. Outside production it has to be loopback."`
	Port      int    `env:"PORT" default:"8080" help:"The port to listen on; 0 takes any free one."`
	AdminHost string `env:"ADMIN_HOST" default:"127.0.0.1" help:"The address of the private listener: profiles are at http://ADMIN_HOST:ADMIN_PORT/debug/pprof/, metrics for Prometheus at http://ADMIN_HOST:ADMIN_PORT/metrics, the page about jobs at http://ADMIN_HOST:ADMIN_PORT/jobs. Keep it private."`
	AdminPort int    `env:"ADMIN_PORT" default:"0" production:"8081" help:"The port of that listener, which accord worker has as well; 0 takes any free one, -1 turns it off."`

	PublicURL      string   `env:"PUBLIC_URL" required:"production" derived:"HOST and PORT; production: none" help:"The address that clients use, https://api.example.com: in links, mails and tokens. No path; https in production."`
	TrustedProxies Prefixes `env:"TRUSTED_PROXIES" help:"The proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks, separated by commas."`

	TLSCertFile string `env:"TLS_CERT_FILE" help:"A PEM file with the certificate chain, to serve HTTPS without a proxy."`
	TLSKeyFile  string `env:"TLS_KEY_FILE" help:"A PEM file with the certificate's private key."`

	AccessTokenTTL  time.Duration `env:"ACCESS_TOKEN_TTL" default:"15m" help:"How long an access token is valid: 15m to 30m."`
	RefreshTokenTTL time.Duration `env:"REFRESH_TOKEN_TTL" default:"168h" help:"How long a refresh token is valid; longer than an access token."`
	BcryptCost      int           `env:"BCRYPT_COST" default:"12" help:"The cost of a password hash: 12 to 16. Only the test environment may go down to 4."`

	SMTPURL  Secret `env:"SMTP_URL" help:"The mail server: smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465 (TLS). Unset: development shows mails at /dev/mail, production drops them."`
	MailFrom string `env:"MAIL_FROM" derived:"PROJECT_NAME and no-reply@localhost" help:"The sender of mails: Accord <no-reply@example.com>. Production needs it as soon as SMTP_URL is set."`

	// bare-drops {
	FilesURL        string `env:"FILES_URL" required:"production" derived:"a folder in .accord; production: none" help:"Where uploaded files and finished reports are kept, and nothing else: file:///var/lib/accord/files, or s3://bucket?region=eu-central-1, with &endpoint=https://host where it is not Amazon's. Credentials are found the AWS way."`
	FilesMaxPerUser Size   `env:"FILES_MAX_PER_USER" default:"1GiB" help:"How much a user may keep, such as 500MiB or 2GiB, or a whole number of bytes."`

	// bare-drops }
	AuditRetention time.Duration `env:"AUDIT_RETENTION" default:"9600h" help:"How long the audit trail is kept: 400 days by default, 24h at least; 0 keeps it for ever."`

	LogLevel        slog.Level    `env:"LOG_LEVEL" default:"info" help:"The least level that is logged: debug, info, warn or error."`
	SentryDSN       Secret        `env:"SENTRY_DSN" help:"Where panics and unexpected errors are reported: https://key@host/project."`
	OTLPEndpoint    string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"The OpenTelemetry collector that traces are sent to, by OTLP over HTTP: http://localhost:4318. Unset: nothing is traced."`
	OTLPHeaders     Secret        `env:"OTEL_EXPORTER_OTLP_HEADERS" help:"Headers for the collector, such as a key: name=value, separated by commas, percent-encoded."`
	OTELServiceName string        `env:"OTEL_SERVICE_NAME" default:"accord" help:"What traces call the service."`
	TracesRatio     float64       `env:"OTEL_TRACES_SAMPLER_ARG" default:"1" help:"The share of requests that is traced, from 0 to 1, of those that come without a traceparent from a trusted proxy."`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" default:"15s" help:"The longest that a stop may take as a whole: four fifths of it for requests in flight, the rest for jobs and connections."`
	Docs            bool          `env:"DOCS" default:"true" production:"false" help:"Whether /api/docs, the Swagger UI, is served."`
}

// LoadConfig reads the settings from environ, which Environ gives or a test
// writes by hand; nothing else is looked at. An empty value counts as unset.
// The error is a *ConfigError that names every fault at once.
func LoadConfig(environ map[string]string) (Config, error) {
	var config Config
	faults := parseSettings(effectiveSettings(environ), &config)
	config.derive()
	faults = append(faults, ruleFaults(&config, faults)...)
	if len(faults) > 0 {
		return Config{}, newConfigError(faults)
	}
	return config, nil
}

// Development tells whether the server is run to work on it: loopback only,
// with demo data and the mail outbox.
func (c Config) Development() bool { return c.Environment == Development }

// Production tells whether the server is run for real users.
func (c Config) Production() bool { return c.Environment == Production }

// Address is what the API listens on, host:port.
func (c Config) Address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// AdminAddress is what profiles, metrics and the page about jobs listen on, or "" when that
// listener is off.
func (c Config) AdminAddress() string {
	if c.AdminPort < 0 {
		return ""
	}
	return net.JoinHostPort(c.AdminHost, strconv.Itoa(c.AdminPort))
}

// TLS tells whether the server ends TLS itself.
func (c Config) TLS() bool { return c.TLSCertFile != "" && c.TLSKeyFile != "" }

// derive brings the values to one form and fills in the defaults that follow
// from other settings.
func (c *Config) derive() {
	c.CORSOrigins = tidyOrigins(c.CORSOrigins)
	if !c.Production() {
		c.SecretKey = c.SecretKey.or(NewSecret(developmentSecretKey))
	}
	c.DatabaseDirectURL = c.DatabaseDirectURL.or(c.DatabaseURL)
	if c.MailFrom == "" && !(c.Production() && c.SMTPURL.IsSet()) {
		c.MailFrom = (&mail.Address{Name: c.ProjectName, Address: "no-reply@localhost"}).String()
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if c.PublicURL == "" && !c.Production() {
		c.PublicURL = c.ListenURL(c.Address())
	}
}

// ListenURL is the URL of an address that the server listens on. It is empty
// for port 0: then the server sets PublicURL when it knows its port.
func (c Config) ListenURL(address string) string {
	if strings.HasSuffix(address, ":0") {
		return ""
	}
	if c.TLS() {
		return "https://" + address
	}
	return "http://" + address
}

// tidyOrigins brings each origin to the form that browsers send: lower case,
// and without the scheme's own port.
func tidyOrigins(origins []string) []string {
	var tidy []string
	for _, origin := range origins {
		if origin = strings.ToLower(strings.TrimSpace(origin)); origin == "" {
			continue
		}
		if u, err := url.Parse(origin); err == nil && u.Port() == defaultPort(u.Scheme) {
			origin = strings.TrimSuffix(origin, ":"+u.Port())
		}
		tidy = append(tidy, origin)
	}
	return tidy
}

// defaultPort is the port that the scheme of a web address stands for, or "-".
func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return "-"
}

// Prefixes is a list of networks.
type Prefixes []netip.Prefix

// UnmarshalText reads networks and single addresses, separated by commas.
func (p *Prefixes) UnmarshalText(text []byte) error {
	*p = nil
	for part := range strings.SplitSeq(string(text), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		prefix, err := parsePrefix(part)
		if err != nil {
			return err
		}
		*p = append(*p, prefix)
	}
	return nil
}

// parsePrefix reads a network such as 10.0.0.0/8, or an address as the network
// of that address alone.
func parsePrefix(text string) (netip.Prefix, error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return address.Unmap().Prefix(address.Unmap().BitLen())
}

// MarshalText is the reverse of UnmarshalText.
func (p Prefixes) MarshalText() ([]byte, error) {
	texts := make([]string, len(p))
	for i, prefix := range p {
		texts[i] = prefix.String()
	}
	return []byte(strings.Join(texts, ",")), nil
}
