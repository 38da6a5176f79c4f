package helpscout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// files is a folder in memory, by digest.
type files map[string][]byte

func (f files) add(data []byte) (symbol string) {
	sum := sha256.Sum256(data)
	f[hex.EncodeToString(sum[:])] = data
	return "attachment:" + hex.EncodeToString(sum[:])
}

func (f files) open(sha string) (int64, func() (io.ReadCloser, error), error) {
	data, ok := f[sha]
	if !ok {
		return 0, nil, errors.New("not in the folder")
	}
	return int64(len(data)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f[sha])), nil }, nil
}

func read(t *testing.T, b *Body) []byte {
	t.Helper()
	r, err := b.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if int64(len(data)) != b.Size() {
		t.Errorf("%d bytes, but Size says %d", len(data), b.Size())
	}
	return data
}

// TestBody: the files arrive whole, whatever their sizes, as often as the body is opened.
func TestBody(t *testing.T) {
	folder := files{}
	c := NewConversation{Subject: `"data":"attachment:` + strings.Repeat("0", 64) + `"`}
	var want [][]byte
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 2, 3, fileStep - 1, fileStep, fileStep + 1, 3*fileStep + 7, 7} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		want = append(want, data)
		th := NewThread{Type: ThreadNote, Text: `{"data":"attachment:` + strings.Repeat("a", 64) + `"} <&>` + "\u2028"}
		th.Attachments = []NewAttachment{
			{FileName: "f", Data: folder.add(data)},
			{FileName: `"data":"`, MIMEType: "attachment:", Data: base64.StdEncoding.EncodeToString(data)},
		}
		c.Threads = append(c.Threads, th)
	}
	b, err := NewBody(c, folder.open)
	if err != nil {
		t.Fatal(err)
	}
	first := read(t, b)
	if !bytes.Equal(first, read(t, b)) {
		t.Error("the second time it reads otherwise")
	}
	var got NewConversation
	if err := json.Unmarshal(first, &got); err != nil {
		t.Fatal(err)
	}
	if got.Subject != c.Subject {
		t.Errorf("the subject became %q", got.Subject)
	}
	for i, th := range got.Threads {
		for _, a := range th.Attachments {
			if data, err := base64.StdEncoding.DecodeString(a.Data); err != nil || !bytes.Equal(data, want[i]) {
				t.Errorf("file %d: %v", i, err)
			}
		}
		if th.Text != c.Threads[i].Text {
			t.Errorf("text %d became %q", i, th.Text)
		}
	}
	plain, err := json.Marshal(c)
	if err != nil || !sameJSON(plain, b.Symbolic()) {
		t.Error("the symbolic body is not the plan's")
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

// TestBodyRefused: what can be known before is refused before.
func TestBodyRefused(t *testing.T) {
	for _, data := range []string{"attachment:", "attachment:" + strings.Repeat("A", 64), "attachment:" + strings.Repeat("0", 63), "attachment:" + strings.Repeat("0", 65)} {
		if _, err := NewBody(NewAttachment{Data: data}, files{}.open); err == nil {
			t.Errorf("%q is not refused", data)
		}
	}
	good := "attachment:" + strings.Repeat("0", 64)
	if _, err := NewBody(NewAttachment{Data: good}, files{}.open); err == nil || !strings.Contains(err.Error(), "not in the folder") {
		t.Error(err)
	}
	if _, err := NewBody(NewAttachment{Data: good}, nil); err == nil {
		t.Error("a symbol without a folder")
	}
	if _, err := NewBody(func() {}, nil); err == nil {
		t.Error("a function has no JSON")
	}
}

// TestBodyOfChangedFile: a file that is not what it was makes a request that never ends, and says so.
func TestBodyOfChangedFile(t *testing.T) {
	data := bytes.Repeat([]byte("abc"), fileStep)
	for name, src := range map[string]func() (io.ReadCloser, error){
		"gone":    func() (io.ReadCloser, error) { return nil, errors.New("no such file") },
		"shorter": func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data[1:])), nil },
		"empty":   func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil },
		"longer": func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(append(data[:len(data):len(data)], 'x'))), nil
		},
		"other": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("A"), bytes.NewReader(data[1:]))), nil
		},
		"unreadable": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(data[:99]), iotest.ErrReader(errors.New("bad sector")))), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			sum := sha256.Sum256(data)
			b, err := NewBody(NewAttachment{Data: "attachment:" + hex.EncodeToString(sum[:])}, func(string) (int64, func() (io.ReadCloser, error), error) {
				return int64(len(data)), src, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			r, _ := b.Open()
			got, err := io.ReadAll(r)
			var broken *BodyError
			if !errors.As(err, &broken) || broken.SHA256 != hex.EncodeToString(sum[:]) || int64(len(got)) >= b.Size() {
				t.Errorf("%d of %d bytes, then %v", len(got), b.Size(), err)
			}
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
			whole := 0
			a.handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }
			err = a.client(t, nil).Upload(t.Context(), 1, 2, b)
			if KindOf(err) != Rejected || StatusOf(err) != 0 || !errors.As(err, &broken) {
				t.Errorf("upload: %v", err)
			}
			a.Close()
			for _, body := range a.bodies {
				if int64(len(body)) == b.Size() || json.Valid([]byte(body)) {
					whole++
				}
			}
			if whole > 0 {
				t.Error("a whole request arrived")
			}
		})
	}
}

// TestBodyMemory: a body of 85 MB takes no more than its text and a chunk.
func TestBodyMemory(t *testing.T) {
	const size = 64 << 20
	h := sha256.New()
	io.CopyN(h, zeros{}, size)
	b, err := NewBody(NewAttachment{Data: "attachment:" + hex.EncodeToString(h.Sum(nil))}, func(string) (int64, func() (io.ReadCloser, error), error) {
		return size, func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeros{}, size)), nil }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, _ := b.Open()
	n, err := io.Copy(io.Discard, r)
	runtime.ReadMemStats(&after)
	if n != b.Size() || err != nil {
		t.Error(n, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d bytes allocated", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzBody: no text of a person is taken for a symbol, and what is sent is what was meant.
func FuzzBody(f *testing.F) {
	f.Add("subject", `","data":"attachment:`, []byte("file"))
	f.Add(`\`, "\xff\u2029", []byte{})
	f.Add(`\"data\":\"attachment:`+strings.Repeat("0", 64)+`\"`, `"data":"attachment:`+strings.Repeat("0", 64)+`"`, []byte{0})
	f.Fuzz(func(t *testing.T, subject, text string, file []byte) {
		folder := files{}
		c := NewConversation{Subject: subject, Threads: []NewThread{{Text: text, Attachments: []NewAttachment{{FileName: text, MIMEType: subject, Data: folder.add(file)}}}}}
		b, err := NewBody(c, folder.open)
		if err != nil {
			t.Fatal(err)
		}
		var got NewConversation
		if err := json.Unmarshal(read(t, b), &got); err != nil {
			t.Fatal(err)
		}
		data, err := base64.StdEncoding.DecodeString(got.Threads[0].Attachments[0].Data)
		if err != nil || !bytes.Equal(data, file) || got.Threads[0].Text != valid(text) || got.Subject != valid(subject) {
			t.Errorf("%+v became %+v", c, got)
		}
	})
}

// valid is s as JSON can hold it: each byte that is not UTF-8 replaced.
func valid(s string) string { return string([]rune(s)) }

func BenchmarkBody(b *testing.B) {
	folder := files{}
	symbol := folder.add(make([]byte, 5<<20))
	body, err := NewBody(NewAttachment{Data: symbol}, folder.open)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(body.Size())
	for b.Loop() {
		r, _ := body.Open()
		io.Copy(io.Discard, r)
		r.Close()
	}
}

// TestReplay: where net/http has written nothing, it begins again with the same bytes.
func TestReplay(t *testing.T) {
	folder := files{}
	b, err := NewBody(NewAttachment{FileName: "f", Data: folder.add([]byte("hello"))}, folder.open)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, Options{BaseURL: "https://x.example", AppID: testID, AppSecret: testSecret}, nil)
	req, err := c.request(t.Context(), call{method: http.MethodPost, path: "/", body: b}, "t", &watch{})
	if err != nil || req.ContentLength != b.Size() {
		t.Fatal(req, err)
	}
	io.CopyN(io.Discard, req.Body, 10)
	again, err := req.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(again); err != nil || !bytes.Equal(got, read(t, b)) {
		t.Errorf("%q, %v", got, err)
	}
}
