package helpscout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestWords: the words of a refusal, whatever its shape.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		contentType, body, want string
	}{
		{"application/vnd.error+json", `{"logRef":"a","message":"Bad request","_embedded":{"errors":[{"path":"subject","message":"may not be empty","source":"JSON"},{"path":"status","message":"Expected one of these: 'active'","rejectedValue":"Wrong"}]}}`, "subject may not be empty; status Expected one of these: 'active'"},
		{"", `{"message":"Error parsing request body into JSON","_embedded":{"errors":[]}}`, "Error parsing request body into JSON"},
		{"", `{"error":"invalid_token","error_description":"The access token is invalid or has expired"}`, "The access token is invalid or has expired"},
		{"", `{"message":"API rate limit exceeded"}`, "API rate limit exceeded"},
		{"", `{"message":{"text":"odd"}}`, `{"text":"odd"}`},
		{"", `{"errors":[{"message":"at the top","rejectedValue":12}]}`, "at the top"},
		{"", `{"_embedded":[],"errors":{"no":"list"},"error":null,"message":7}`, "7"},
		{"", `"only words"`, "only words"},
		{"", "[1,2]", "[1,2]"},
		{"text/html", "<html><head><title>504\n Gateway &amp; Time-out</title></head><body>nginx</body>", "504 Gateway & Time-out"},
		{"text/html", "<p>no <b>title</b></p>", "no title"},
		{"text/plain", "upstream\r\n\x1b[31m timed\x00 out\u202e", "upstream [31m timed out"},
		{"", "\xff\xfe", "\ufffd"},
		{"", "", "bad request"},
		{"", strings.Repeat("é", 1000), strings.Repeat("é", maxMessage) + "…"},
		{"", `{"message":"` + strings.Repeat("x", 100_000) + `"}`, `{"message":"` + strings.Repeat("x", maxMessage-12) + "…"},
	} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, c.body)
		})
		_, err := a.client(t, nil).Me(t.Context())
		var e *Error
		if !errors.As(err, &e) || e.Reason() != c.want || e.Kind != Rejected {
			t.Errorf("%.60q: %v, want %q", c.body, err, c.want)
		}
	}
	a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"_embedded":{"errors":[{"path":"threads[0].text","message":"size","rejectedValue":["a",1]},{"path":null},{}]}}`)
	})
	_, err := a.client(t, nil).Me(t.Context())
	var e *Error
	errors.As(err, &e)
	want := []FieldError{{Path: "threads[0].text", Message: "size", Rejected: `["a",1]`}, {}, {}}
	if diff := cmp.Diff(want, e.Fields); diff != "" {
		t.Error(diff)
	}
}

// TestSecrets: whatever a server echoes, wherever, and however it is spelled, no secret is shown, logged or kept.
func TestSecrets(t *testing.T) {
	echoes := map[string]func(w http.ResponseWriter, token string){
		"message": func(w http.ResponseWriter, token string) {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"message":%q}`, "you said "+testSecret+" and Bearer "+token)
		},
		"fields": func(w http.ResponseWriter, token string) {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"_embedded":{"errors":[{"path":%q,"message":%q,"rejectedValue":%q}]}}`, token, testSecret, token+testSecret)
		},
		"text": func(w http.ResponseWriter, token string) {
			w.WriteHeader(500)
			io.WriteString(w, url.QueryEscape(testSecret)+token)
		},
		"html": func(w http.ResponseWriter, token string) {
			w.WriteHeader(200)
			io.WriteString(w, "<title>s3cr&amp;t/&#34;&lt;+&gt;"+token)
		},
		"broken": func(w http.ResponseWriter, token string) {
			w.WriteHeader(500)
			io.WriteString(w, token[:4]+"\x00"+token[4:])
		},
		"headers": func(w http.ResponseWriter, token string) {
			w.Header().Set("Correlation-Id", token)
			w.Header().Set("Location", "https://x.example/?"+url.QueryEscape(testSecret)+token)
			w.WriteHeader(301)
		},
		"json of another shape": func(w http.ResponseWriter, token string) { fmt.Fprintf(w, `{"id":1,"createdAt":%q}`, token) },
		"not HTTP": func(w http.ResponseWriter, token string) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			fmt.Fprintf(conn, "Bearer %s\r\n%s", token, testSecret)
			conn.Close()
		},
	}
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
				echo(w, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			})
			c := a.client(t, func(o *Options) {
				o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			_, read := c.Conversation(t.Context(), 1, false)
			_, write := c.CreateConversation(t.Context(), mustBody(t, NewConversation{}))
			if read == nil || write == nil {
				t.Fatal("no error to look into")
			}
			noSecret(t, read, a.current())
			noSecret(t, write, a.current())
			if log.Len() == 0 {
				t.Error("no log to look into")
			}
			noSecret(t, errors.New(log.String()), a.current())
		})
	}
	a := newAPI(t, nil)
	a.refuse = func(int) int { return http.StatusUnauthorized } // its words hold the secret
	err := a.client(t, nil).Login(t.Context())
	if err == nil || !strings.Contains(err.Error(), hidden) {
		t.Error(err)
	}
	noSecret(t, err, "none")
}

// noSecret looks into everything that can be printed of err.
func noSecret(t *testing.T, err error, token string) {
	t.Helper()
	text := err.Error() + fmt.Sprintf("%v %+v %#v", err, err, err)
	for e := err; e != nil; e = errors.Unwrap(e) {
		text += e.Error()
	}
	var e *Error
	if errors.As(err, &e) {
		text += fmt.Sprintf("%+v %#v", *e, *e)
	}
	for _, secret := range append(spellings(testSecret), token) {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is shown: %s", text)
			return
		}
	}
}

// FuzzRefusal: any answer gives words that fit on a line, without a secret.
func FuzzRefusal(f *testing.F) {
	f.Add([]byte(`{"message":"Bad request","_embedded":{"errors":[{"path":"a","message":"b","rejectedValue":1}]}}`), "application/json")
	f.Add([]byte("<html><title>x</title>"), "text/html")
	f.Add([]byte(testSecret+"\x00"+testSecret[:3]+"\x01"+testSecret[3:]), "")
	c, err := New(Options{BaseURL: "https://x.example", AppID: testID, AppSecret: testSecret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		h := http.Header{"Content-Type": {contentType}, "Correlation-Id": {string(body)}, "Location": {string(body)}}
		e := c.refusal(call{method: http.MethodGet}, &answer{status: 400, header: h, body: body})
		texts := []string{e.Message, e.CorrelationID, e.Location}
		for _, fe := range e.Fields {
			texts = append(texts, fe.Path, fe.Message, fe.Rejected)
		}
		for _, s := range texts {
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 2*maxMessage+1 || strings.Contains(s, testSecret) ||
				strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cc, r) }) {
				t.Errorf("%q", s)
			}
		}
		if e.Message == "" {
			t.Error("no words")
		}
	})
}

// FuzzList: a page is either entries with ids, or nothing with a proof, or an error.
func FuzzList(f *testing.F) {
	f.Add([]byte(`{"_embedded":{"conversations":[{"id":1}]},"page":{"totalPages":2,"number":1}}`), 1)
	f.Add([]byte(`{"page":{"totalElements":0,"totalPages":0}}`), 1)
	f.Add([]byte(`{"_links":{"next":{"href":"x"}}}`), 3)
	f.Fuzz(func(t *testing.T, body []byte, number int) {
		l, why := parseList[Conversation](body, "conversations", number)
		if why != "" {
			return
		}
		for _, v := range l.items {
			if v.ID < 1 {
				t.Errorf("an entry without an id in %s", body)
			}
		}
		if len(l.items) == 0 && (!bytes.Contains(body, []byte("{")) || l.page.TotalElements > 0 && number <= l.page.TotalPages) {
			t.Errorf("an empty list of %s", body)
		}
	})
}
