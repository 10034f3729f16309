package cache

import (
	"errors"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// errURL leaves out the URL, which may hold a password.
var errURL = errors.New("not a Redis URL such as redis://user:password@host:6379/0")

// NewClient returns a client fit for Options.Shared, and for all else that would
// rather do without Redis than wait for it: it keeps to the deadlines of
// contexts and tries nothing twice. It does not connect yet. The error of a URL
// that cannot be understood does not quote it.
func NewClient(url string) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errURL
	}
	logging.Disable() // it writes to standard error what the caller is told as well
	o.ContextTimeoutEnabled = true
	o.MaxRetries = -1
	o.DialerRetries = 1
	o.DisableIdentity = true
	// They would lengthen deadlines by themselves.
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(o), nil
}
