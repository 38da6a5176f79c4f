package helpscout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const tokenPath = "/v2/oauth2/token"

// tokens keeps the access token, in memory only.
// https://developer.helpscout.com/mailbox-api/overview/authentication
type tokens struct {
	c      *Client
	config clientcredentials.Config
	http   *http.Client
	turn   chan struct{} // one caller fetches, the others wait for what it brings
	token  *oauth2.Token // under turn
}

func newTokens(c *Client, id, secret string) *tokens {
	return &tokens{
		c: c,
		config: clientcredentials.Config{
			ClientID:     id,
			ClientSecret: secret,
			TokenURL:     c.origin + tokenPath,
			AuthStyle:    oauth2.AuthStyleInParams, // detection would first try HTTP Basic
		},
		http: &http.Client{Transport: tokenTransport{c}, CheckRedirect: stay},
		turn: make(chan struct{}, 1),
	}
}

// get returns a token that is valid and is not stale, the one a request was just refused with. Its errors are an
// *Error of kind Wait or Stop, or that of ctx: nothing was applied, whatever the request was.
func (t *tokens) get(ctx context.Context, stale string) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if t.token.Valid() && t.token.AccessToken != stale {
		return t.token.AccessToken, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, t.c.timeout)
	defer cancel()
	token, err := t.config.Token(context.WithValue(limited, oauth2.HTTPClient, t.http))
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", t.refused(err)
	}
	t.c.clean.learn(token.AccessToken)
	t.token = token
	return token.AccessToken, nil
}

// refused sorts what the token endpoint did instead of giving a token.
func (t *tokens) refused(err error) *Error {
	e := &Error{Kind: Wait, Method: http.MethodPost, Path: tokenPath}
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		e.Message = "no access token"
		e.Err = t.c.clean.error(err)
		e.Message += ": " + e.Err.Error()
		return e
	}
	e.Status = answer.Response.StatusCode
	words := parseRefusal(answer.Body, answer.Response.Header.Get("Content-Type"))
	t.c.describe(e, answer.Response.Header, words)
	switch {
	case e.Status == http.StatusTooManyRequests:
		e.After = retryAfter(answer.Response.Header)
	case e.Status == http.StatusRequestTimeout:
	case e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed:
		e.Kind = Stop
		e.Message = "there is no token endpoint at " + t.c.origin + "; check base_url"
	case e.Status < 300 || e.Status >= 400 && e.Status < 500:
		e.Kind = Stop
		e.Message = fmt.Sprintf("the app id or the app secret was refused (%s); check HELPSCOUT_APP_ID and HELPSCOUT_APP_SECRET, "+
			"and that the user who owns the app is active", e.Message)
	}
	return e
}

// tokenTransport sends token requests like all others and mends what oauth2 would stumble over.
type tokenTransport struct{ c *Client }

func (t tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", t.c.agent)
	req.Header.Set("Accept", "application/json")
	resp, err := t.c.http.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := readBody(resp, 64<<10)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		resp.Header.Set("Content-Type", "application/json") // oauth2 reads text/plain as a form
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	t.c.log.Debug("token", "status", resp.StatusCode)
	return resp, nil
}
