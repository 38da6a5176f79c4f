package sandbox

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// filled is an account of n conversations of two threads, each with its own customer and second.
func filled(b *testing.B, n int) *client {
	c := with(b, "customer-race=false")
	for i := range n {
		c.quick(i)
	}
	return c
}

// quick creates without the cost of a client.
func (c *client) quick(i int) int {
	at := time.Unix(1_500_000_000+int64(i)*7919%200_000_000, 0).UTC().Format(timeLayout)
	body := sample(fmt.Sprintf("p%d@b.example", i), at, "")
	r, _ := http.NewRequest("POST", origin+"/v2/conversations", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	return w.Code
}

// BenchmarkCreate is one create call of two threads with a new customer, on one goroutine, without a socket.
func BenchmarkCreate(b *testing.B) {
	c := filled(b, 0)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if code := c.quick(i); code != 201 {
			b.Fatal(code)
		}
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkCreateOverSockets is the same from 16 clients over loopback, with the customer race on.
func BenchmarkCreateOverSockets(b *testing.B) {
	c := with(b)
	srv := httptest.NewServer(c.s)
	defer srv.Close()
	c.http.Transport = &redirected{srv.URL, &http.Transport{MaxIdleConnsPerHost: 64}}
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a := c.send("POST", "/v2/conversations", sample(fmt.Sprintf("p%d@b.example", n.Add(1)), "2021-03-04T05:06:07Z", ""))
			if a.status != 201 {
				b.Error(a.status)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkLists are the list calls an importer makes, on 100,000 conversations.
func BenchmarkLists(b *testing.B) {
	c := filled(b, 100_000)
	second := time.Unix(1_500_000_000+7919, 0).UTC().Format(timeLayout)
	for name, query := range map[string]string{
		"second":  "status=all&query=" + url.QueryEscape("createdAt:["+second+" TO "+second+"]"),
		"newest":  "status=all&sortField=number&sortOrder=desc",
		"address": "status=all&query=" + url.QueryEscape(`email:"p77@b.example"`),
		"default": "mailbox=254871&status=closed",
		"scan":    "status=all&query=" + url.QueryEscape(`subject:nothing`),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c.want(200, "GET", "/v2/conversations?"+query, "")
			}
		})
	}
}

// BenchmarkMemory tells the bytes that a conversation of two threads with its own customer keeps.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := filled(b, n)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		c.want(200, "GET", "/v2/users/me", "")
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/conversation")
}

// BenchmarkMillion fills an account with a million conversations and tells what the calls of an importer and a page
// then take. It needs 3 GB; run it with -bench Million -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	if testing.Short() || !strings.Contains(flag.Lookup("test.bench").Value.String(), "Million") {
		b.Skip("only when it is asked for by name")
	}
	const n = 1_000_000
	began := time.Now()
	c := filled(b, n)
	filledIn := time.Since(began)
	second := time.Unix(1_500_000_000+7919, 0).UTC().Format(timeLayout)
	timed := func(path string) float64 {
		began := time.Now()
		c.want(200, "GET", path, "")
		return float64(time.Since(began).Microseconds()) / 1000
	}
	for b.Loop() {
		b.ReportMetric(timed("/v2/conversations?status=all&query="+url.QueryEscape("createdAt:["+second+" TO "+second+"]")), "second-ms")
		b.ReportMetric(timed("/v2/conversations?status=all&sortField=number"), "newest-ms")
		b.ReportMetric(timed("/v2/conversations?status=all&query=subject:nothing"), "scan-ms")
		b.ReportMetric(timed("/"), "page-ms")
		b.ReportMetric(n/filledIn.Seconds(), "creates/s")
	}
}
