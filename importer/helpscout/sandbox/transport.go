package sandbox

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// Transport returns a round tripper that reaches the sandbox without sockets, whatever the host of the request. It
// keeps to the request's context and its deadline: a call that outlives it goes on at the service, as over a wire.
// Resets and refusals are errors of the round trip. Made for virtual time under testing/synctest.
func (s *Sandbox) Transport() http.RoundTripper { return (*tripper)(s) }

type tripper Sandbox

// RoundTrip implements [http.RoundTripper].
func (t *tripper) RoundTrip(r *http.Request) (*http.Response, error) {
	s := (*Sandbox)(t)
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	body, err := readAll(r)
	if err != nil {
		return nil, err
	}
	in := r.Clone(ctx)
	in.Body, in.RequestURI = http.NoBody, r.URL.RequestURI()
	if len(body) > 0 {
		in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	done := make(chan reply, 1)
	if !s.goes(func() { done <- s.serve(ctx, in) }) {
		return nil, errClosed
	}
	select {
	case rp := <-done:
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return response(r, rp)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

func readAll(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	defer closeBody(r)
	if n := r.ContentLength; n > 0 && n <= hardLimit {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, err
		}
		return body, nil
	}
	return io.ReadAll(io.LimitReader(r.Body, hardLimit))
}

func response(r *http.Request, rp reply) (*http.Response, error) {
	switch rp.drop {
	case Reset:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case Refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	res := &http.Response{
		Status: strconv.Itoa(rp.status) + " " + http.StatusText(rp.status), StatusCode: rp.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, len(rp.header)+2),
		ContentLength: int64(len(rp.body)), Request: r,
	}
	rp.writeHeader(res.Header)
	res.Header["Date"] = []string{time.Now().UTC().Format(http.TimeFormat)}
	body := io.Reader(bytes.NewReader(rp.body))
	if r.Method == http.MethodHead {
		body = bytes.NewReader(nil)
	}
	if rp.drop == Cut {
		body = io.MultiReader(bytes.NewReader(rp.body[:len(rp.body)/2]), brokenReader{})
	}
	res.Body = io.NopCloser(body)
	return res, nil
}

// brokenReader ends an answer that was cut.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
