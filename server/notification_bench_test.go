package server_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

const (
	idleStreams    = 5000
	streamsOfAUser = 20
	// maxStreamKiB is what an idle stream may take.
	maxStreamKiB = 40
)

// BenchmarkIdleStreams opens streams over real connections and tells what each
// takes of the process while nothing happens: of its memory as the system sees it,
// right away and after the garbage is gone, and of the heap and the stacks. The
// clients' ends are in the same process and are counted too; they are bare
// sockets, well below a KiB each. It needs some 10,000 open files.
func BenchmarkIdleStreams(b *testing.B) {
	s := servertest.New(b, servertest.Options{Start: true})
	var people []*servertest.Person
	for range idleStreams / streamsOfAUser {
		people = append(people, s.Register())
	}
	open := func(n int) (closed func()) {
		var conns []net.Conn
		for i := range n {
			conns = append(conns, idle(b, people[i%len(people)]))
		}
		return func() {
			for _, conn := range conns {
				_ = conn.Close()
			}
		}
	}
	for b.Loop() {
		before := memory(b)
		closed := open(idleStreams)
		at := resident(b)
		after := memory(b)
		for unit, bytes := range map[string]float64{
			"KiB-resident-at-once/stream": at - before.resident, "KiB-resident/stream": after.resident - before.resident,
			"KiB-heap/stream": after.heap - before.heap, "KiB-stack/stream": after.stack - before.stack,
		} {
			kib := bytes / 1024 / idleStreams
			b.ReportMetric(kib, unit)
			if kib > maxStreamKiB && unit != "KiB-resident-at-once/stream" { // with as much garbage as the machine was busy
				b.Errorf("%.1f %s, want at most %d", kib, unit, maxStreamKiB)
			}
		}
		closed()
	}
}

// browserHeader is what a browser sends along.
const browserHeader = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0\r\n" +
	"Accept: text/event-stream\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Referer: https://shop.example.com/\r\nOrigin: https://shop.example.com\r\nDNT: 1\r\nConnection: keep-alive\r\n" +
	"Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-site\r\nCache-Control: no-cache\r\n"

// idle opens a stream and leaves it alone.
func idle(b *testing.B, p *servertest.Person) net.Conn {
	b.Helper()
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: api.example.com\r\nX-Forwarded-For: %s\r\nAuthorization: Bearer %s\r\n%s\r\n", streamPath, p.IP, p.Tokens.AccessToken, browserHeader)
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		b.Fatal(err)
	}
	var answer [2048]byte
	for n := 0; !bytes.HasSuffix(answer[:n], []byte("\n\n\r\n")); { // where it begins, in a chunk
		read, err := conn.Read(answer[n:])
		if err != nil {
			b.Fatalf("%v\n%s", err, answer[:n])
		}
		n += read
	}
	return conn
}

// usage is what the process takes, in bytes.
type usage struct{ resident, heap, stack float64 }

// memory measures after the garbage is gone.
func memory(b *testing.B) usage {
	b.Helper()
	for range 3 { // a stack is halved each time
		runtime.GC()
	}
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return usage{resident: resident(b), heap: float64(stats.HeapInuse), stack: float64(stats.StackInuse)}
}

// resident is the memory as the system sees it.
func resident(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skipf("only Linux tells how much memory is resident: %v", err)
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * float64(os.Getpagesize())
}
