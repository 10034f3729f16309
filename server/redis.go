package server

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// redisTimeout is how long Redis may take to answer where REDIS_URL does not
	// say so: a hundred times what it needs, and little enough for a request.
	redisTimeout = 50 * time.Millisecond
	// redisDialTimeout is longer, for no request waits for the whole of it.
	redisDialTimeout = time.Second
)

// redisOptions reads a REDIS_URL. Redis is never needed, so that nothing is tried
// twice: what it does not answer at once is done without it.
func redisOptions(address Secret) (*redis.Options, error) {
	o, err := redis.ParseURL(address.Reveal())
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(address.Reveal()); o.Network == "tcp" && (err != nil || u.Hostname() == "") {
		return nil, errors.New("the host is missing")
	}
	if o.ReadTimeout <= 0 {
		o.ReadTimeout = redisTimeout
	}
	o.DialTimeout = max(redisDialTimeout, o.ReadTimeout)
	o.WriteTimeout, o.ContextTimeoutEnabled = o.ReadTimeout, true
	o.MaxRetries, o.DialerRetries = -1, 1
	o.DisableIdentity = true // it costs each new connection a round trip
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

// silenceRedis is called once, since several servers of one process would all write
// the client's logger. What it says on stderr comes back as an error as well.
var silenceRedis = sync.OnceFunc(logging.Disable)

// openRedis gives a client; nothing is connected before its first use.
func openRedis(address Secret) (*redis.Client, error) {
	o, err := redisOptions(address)
	if err != nil {
		return nil, err
	}
	silenceRedis()
	return redis.NewClient(o), nil
}

// greetRedis says at the start what would else come out at the first request.
func (s *Server) greetRedis(ctx context.Context) {
	if s.redis == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisDialTimeout)
	defer cancel()
	if err := s.redis.Ping(ctx).Err(); err != nil {
		s.log.WarnContext(ctx, "Redis is out of reach: until it answers, each process has limits and kept answers of its own", "error", err)
	}
}
