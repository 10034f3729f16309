package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// countEach is how often who reads a log is told how far a run has come.
const countEach = 10 * time.Second

// counter shows how far a run has come: on a terminal at each step, else by a line
// each while.
type counter struct {
	out      io.Writer
	terminal bool

	mu    sync.Mutex
	line  string
	done  chan struct{}
	ended sync.WaitGroup
}

// newCounter shows line until the first step. It has to be ended.
func newCounter(out io.Writer, terminal bool, each time.Duration, line string) *counter {
	c := &counter{out: out, terminal: terminal, line: line, done: make(chan struct{})}
	if c.terminal {
		c.step(line)
	} else {
		c.ended.Go(func() { c.tell(each) })
	}
	return c
}

func (c *counter) tell(each time.Duration) {
	ticker := time.NewTicker(each)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
			c.mu.Lock()
			line := c.line
			c.mu.Unlock()
			fmt.Fprintln(c.out, line)
		}
	}
}

// step says how far the run has come now.
func (c *counter) step(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line = line
	if c.terminal {
		fmt.Fprintf(c.out, "\r\033[K%s", line)
	}
}

// end clears the line of a terminal.
func (c *counter) end() {
	close(c.done)
	c.ended.Wait()
	if c.terminal {
		fmt.Fprint(c.out, "\r\033[K")
	}
}
