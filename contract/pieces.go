package contract

import (
	"bytes"
	"fmt"
	"strings"
)

// piece is a text that comes so many times in a row.
type piece struct {
	text  string
	times int
}

const (
	// maxBody is how much of a request's body is kept for reports, repetitions counted
	// once.
	maxBody = 4000
	// maxPeriod is how long a text can be whose repetitions are seen.
	maxPeriod = 16
	// minRepeated is from how many bytes on a repetition counts as one.
	minRepeated = 100
)

// pieces cuts a body into what is repeated in it and what is not: one that is at a limit
// of many bytes is long, and can be told in short.
func pieces(body []byte) (list []piece) {
	if len(body) <= maxBody {
		return []piece{{string(body), 1}}
	}
	left := maxBody
	for begin, at := 0, 0; begin < len(body) && left > 0; {
		period, times := repeated(body[at:])
		if period == 0 && at < len(body) && at-begin < left {
			at++
			continue
		}
		text := body[begin:at]
		text = text[:min(len(text), left)]
		left -= len(text)
		if len(text) > 0 {
			list = append(list, piece{string(text), 1})
		}
		if period > 0 && left > 0 {
			list = append(list, piece{string(body[at : at+period]), times})
			left -= period
		}
		at += period * times
		begin = at
	}
	return list
}

// repeated says by how many bytes a text begins that come again and again, and how often;
// 0 where none does.
func repeated(body []byte) (period, times int) {
	for period = 1; period <= min(maxPeriod, len(body)/2); period++ {
		if body[0] != body[period] || body[0] == '-' { // most end here; yes takes a dash for an option
			continue
		}
		word := body[:period]
		for times = 1; bytes.HasPrefix(body[times*period:], word); {
			times++
		}
		if times*period >= minRepeated && !bytes.ContainsRune(word, '\n') {
			return period, times
		}
	}
	return 0, 0
}

// length is how many bytes pieces make.
func length(list []piece) (n int) {
	for _, p := range list {
		n += len(p.text) * p.times
	}
	return n
}

// printed are the commands of a shell that print pieces.
func printed(list []piece) string {
	commands := make([]string, len(list))
	for i, p := range list {
		commands[i] = "printf %s " + quoted(p.text)
		if p.times > 1 {
			commands[i] = fmt.Sprintf("yes %s | head -n %d | tr -d '\\n'", quoted(p.text), p.times)
		}
	}
	return strings.Join(commands, "; ")
}
