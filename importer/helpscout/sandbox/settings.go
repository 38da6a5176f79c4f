package sandbox

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Settings is everything about the service that nobody has published, plus what a rehearsal wants to vary. Each field
// has a name for files and flags, a default and a help text, all in its tags: see [SettingNames].
//
// The zero value stands for [Defaults] when it is given to [New].
type Settings struct {
	// The quota.
	QuotaLimit      int     `name:"quota-limit" default:"400" help:"units a minute for the whole account; 0 lifts the quota"`
	QuotaUnlimited  string  `name:"quota-unlimited" default:"absent" oneof:"absent|huge" help:"rate headers when the quota is lifted"`
	QuotaWindow     string  `name:"quota-window" default:"fixed" oneof:"fixed|sliding" help:"calendar minutes, or the last 60 seconds"`
	QuotaCharge429  bool    `name:"quota-charge-429" default:"false" help:"a refused call is charged like an accepted one"`
	QuotaPatchUnits int     `name:"quota-patch-units" default:"2" help:"units of a PATCH: 2 as documented, 1 as recorded in 2019"`
	Competitor      float64 `name:"competitor" default:"0" help:"share of the quota that other programs use, 0 to 1 or in percent"`
	MaxInFlight     int     `name:"max-in-flight" default:"0" help:"calls handled at one time; more get 429; 0 is no cap"`

	// Tokens.
	TokenLifetime time.Duration `name:"token-lifetime" default:"48h" help:"how long an access token lives"`
	TokenError    int           `name:"token-error" default:"401" oneof:"400|401" help:"status for wrong credentials at the token endpoint"`

	// Time.
	Latency         time.Duration `name:"latency" default:"0s" help:"mean time of an answer"`
	LatencyJitter   time.Duration `name:"latency-jitter" default:"0s" help:"latency varies by up to this much, up and down"`
	CustomerRace    bool          `name:"customer-race" default:"true" help:"two calls at one time with one new address create the customer twice"`
	CustomerRaceGap time.Duration `name:"customer-race-gap" default:"1ms" help:"time between looking an address up and creating its customer"`
	IndexLag        time.Duration `name:"index-lag" default:"0s" help:"age at which a change shows in query, modifiedSince and customer search"`
	ListLag         time.Duration `name:"list-lag" default:"0s" help:"age at which a change shows in a plain list"`

	// Sizes.
	PageSize         int   `name:"page-size" default:"50" help:"entries of a page: 50, or 25 as recorded on threads"`
	ThreadPageSize   int   `name:"thread-page-size" default:"50" help:"threads of a page"`
	MaxBodyCreate    int64 `name:"max-body-create" default:"10MiB" help:"largest body of a create call, else 413 (256kB in 1.0)"`
	MaxBodyThread    int64 `name:"max-body-thread" default:"10MiB" help:"largest body of a thread call, else 413"`
	MaxBodyUpload    int64 `name:"max-body-upload" default:"10MiB" help:"largest body of an attachment call, else 413"`
	MaxBodyOther     int64 `name:"max-body-other" default:"1MiB" help:"largest body of any other call, else 413"`
	MaxThreads       int   `name:"max-threads" default:"100" help:"threads a create call may carry, else 412; one fewer takes no more"`
	MaxAttachments   int   `name:"max-attachments" default:"0" help:"attachments of a thread; 0 is no cap"`
	MaxSubject       int   `name:"max-subject" default:"255" help:"characters of a subject; 0 is no cap"`
	MaxText          int   `name:"max-text" default:"0" help:"characters of a thread's text; 0 is no cap"`
	MaxTag           int   `name:"max-tag" default:"0" help:"characters of a tag; 0 is no cap"`
	MaxTags          int   `name:"max-tags" default:"0" help:"tags of a conversation; 0 is no cap"`
	LineItemsCount   bool  `name:"line-items-count" default:"false" help:"line items count towards max-threads"`
	KeepAttachments  bool  `name:"keep-attachments" default:"true" help:"keep the bytes of attachments, not only size and digest"`
	MaxDeleteHistory int   `name:"max-delete-history" default:"100" help:"conversations with which a customer can still be deleted"`

	// Rules on what is sent.
	CreatedAtNotImported string        `name:"created-at-not-imported" default:"reject" oneof:"reject|ignore" help:"createdAt without imported: 400, or as if it were absent"`
	IgnoreCreatedAt      bool          `name:"ignore-created-at" default:"false" help:"drop every createdAt: all is dated now"`
	ThreadImported       string        `name:"thread-imported" default:"inherit" oneof:"inherit|required" help:"threads of an imported conversation are imported too, or only with their own flag"`
	ImportedModifiedAt   string        `name:"imported-modified-at" default:"historic" oneof:"historic|now" help:"modifiedAt and userUpdatedAt of what is imported"`
	FutureDates          string        `name:"future-dates" default:"accept" oneof:"accept|reject" help:"createdAt and closedAt after now"`
	SpamAtCreate         string        `name:"spam-at-create" default:"keep" oneof:"keep|reject|active" help:"status spam in a create call"`
	ClosedWithoutTime    string        `name:"closed-without-time" default:"now" oneof:"now|last-thread|absent" help:"closedAt of a closed conversation that came without"`
	ClosedAtOpen         string        `name:"closed-at-open" default:"ignore" oneof:"ignore|reject" help:"closedAt on a conversation that is not closed, or not imported"`
	AssignOutside        string        `name:"assign-outside" default:"reject" oneof:"reject|ignore|accept" help:"assignee without access to the mailbox"`
	AutoAssign           string        `name:"auto-assign" default:"replier" oneof:"replier|none" help:"the inbox's rule for a create call with replies and without the key assignTo"`
	ForeignField         string        `name:"foreign-field" default:"reject" oneof:"reject|ignore" help:"custom field of another mailbox, or unknown"`
	RequiredFields       string        `name:"required-fields" default:"ignore" oneof:"ignore|enforce" help:"custom fields marked required that are absent"`
	TooOld               time.Duration `name:"too-old" default:"0s" help:"conversations older than this take no new threads; 0 is never"`
	TooOldStatus         int           `name:"too-old-status" default:"412" oneof:"412|423" help:"status for threads on a conversation that is too old"`
	TooOldImported       bool          `name:"too-old-imported" default:"true" help:"too-old holds for imported threads too"`
	BadQuery             string        `name:"bad-query" default:"reject" oneof:"reject|empty|ignore" help:"a query that does not parse: 400, no result, or as if it were absent"`
	ThreadEditing        bool          `name:"thread-editing" default:"true" help:"the account may edit and hide threads, else 403"`

	// What is made of it.
	HTMLRewrite     string `name:"html-rewrite" default:"br" oneof:"none|br|sanitise" help:"<br> becomes <br />; sanitise also drops scripts"`
	Newlines        string `name:"newlines" default:"keep" oneof:"keep|br|collapse" help:"line breaks in a thread's text"`
	Emoji           string `name:"emoji" default:"keep" oneof:"keep|replace" help:"characters beyond the basic plane, kept or stored as ?"`
	Control         string `name:"control" default:"keep" oneof:"keep|strip|reject" help:"control characters in texts"`
	TagCase         string `name:"tag-case" default:"lower" oneof:"lower|keep" help:"how tags are stored"`
	EmailCase       string `name:"email-case" default:"fold" oneof:"fold|exact" help:"how customer addresses are compared"`
	EqualTimes      string `name:"equal-times" default:"newest" oneof:"newest|array" help:"threads of one second: last one first, or in the order of the array"`
	Enrich          bool   `name:"enrich" default:"false" help:"new customers get a photo and a job title by themselves"`
	FieldTypes      string `name:"field-types" default:"lower" oneof:"lower|snake|upper" help:"singleline, single_line or SINGLE_LINE"`
	NestedPath      string `name:"nested-path" default:"brackets" oneof:"brackets|dots" help:"threads[0].text or threads.0.text in field errors"`
	ThreadIDs       bool   `name:"thread-ids" default:"true" help:"thread calls answer with Resource-ID, as since 2023"`
	AttachmentIDs   bool   `name:"attachment-ids" default:"false" help:"attachment calls answer with Resource-ID"`
	WebLocation     bool   `name:"web-location" default:"false" help:"create calls answer with Web-Location"`
	LocationQuery   bool   `name:"location-query" default:"false" help:"Location carries a query"`
	ResourceIDs     bool   `name:"resource-ids" default:"true" help:"create calls answer with Resource-ID; else Location alone"`
	Delete          string `name:"delete" default:"gone" oneof:"gone|trash" help:"a deleted conversation answers 404, or 200 with state deleted"`
	PublicURL       string `name:"public-url" default:"" help:"origin in links; empty: that of the request"`
	TeamsInUsers    bool   `name:"teams-in-users" default:"true" help:"the users list shows teams too, with type team and no address, as recorded"`
	Preflight       bool   `name:"browser-preflight" default:"false" help:"web pages of every origin may call the API, and read all that is in the account"`
	SeedThreadsPost bool   `name:"seed-threads-post" default:"true" help:"answer POST /v2/conversations/{id}/threads, which the real service does not have"`

	// Other actors.
	WorkflowsOnImported bool          `name:"workflows-on-imported" default:"true" help:"active workflows act on what is imported"`
	WorkflowDelay       time.Duration `name:"workflow-delay" default:"2s" help:"how long a workflow takes to act"`
	WebhooksOnImported  bool          `name:"webhooks-on-imported" default:"true" help:"webhooks tell of what is imported"`

	// Faults.
	HangMax time.Duration `name:"hang-max" default:"10m" help:"how long a call that hangs is held, unless the client goes first"`
}

// A Setting describes one knob: its name in files and flags, its default, its help text and, where the values are a
// closed set, that set.
type Setting struct {
	Name, Default, Help string
	OneOf               []string
}

// SettingNames lists all settings in the order in which they are documented.
func SettingNames() []Setting {
	t := reflect.TypeFor[Settings]()
	list := make([]Setting, 0, t.NumField())
	for f := range t.Fields() {
		st := Setting{Name: f.Tag.Get("name"), Default: f.Tag.Get("default"), Help: f.Tag.Get("help")}
		if set := f.Tag.Get("oneof"); set != "" {
			st.OneOf = strings.Split(set, "|")
		}
		list = append(list, st)
	}
	return list
}

// Defaults returns the documented settings.
func Defaults() Settings {
	var s Settings
	for _, st := range SettingNames() {
		if err := s.Set(st.Name, st.Default); err != nil {
			panic("sandbox: default of " + err.Error()) // a typing error in this file; every test runs over it
		}
	}
	return s
}

// Set changes one setting by name. Durations are like 90s or 10m, sizes like 256kB or 10MiB, shares like 0.3 or 30%.
// An unknown name or a value of the wrong kind is an error that names the nearest name or the accepted values.
func (s *Settings) Set(name, value string) error {
	t := reflect.TypeFor[Settings]()
	for f := range t.Fields() {
		if f.Tag.Get("name") != name {
			continue
		}
		if set := f.Tag.Get("oneof"); set != "" && !slices.Contains(strings.Split(set, "|"), value) {
			return fmt.Errorf("%s: %q is not one of %s", name, value, strings.ReplaceAll(set, "|", ", "))
		}
		if err := assign(reflect.ValueOf(s).Elem().FieldByIndex(f.Index), value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("%s: no such setting%s", name, nearest(name))
}

// Get returns a setting by name in the form that Set accepts.
func (s *Settings) Get(name string) (string, bool) {
	t := reflect.TypeFor[Settings]()
	for f := range t.Fields() {
		if f.Tag.Get("name") == name {
			return fmt.Sprint(reflect.ValueOf(*s).FieldByIndex(f.Index).Interface()), true
		}
	}
	return "", false
}

func assign(v reflect.Value, text string) error {
	switch v.Interface().(type) {
	case string:
		v.SetString(text)
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 90s or 10m", text)
		}
		v.SetInt(int64(d))
	case float64:
		x, err := parseShare(text)
		if err != nil {
			return err
		}
		v.SetFloat(x)
	case int, int64:
		n, err := parseSize(text)
		if err != nil {
			return err
		}
		v.SetInt(n)
	}
	return nil
}

func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 1) {
		return 0, fmt.Errorf("%q is not a share such as 0.3 or 30%%", text)
	}
	return x, nil
}

var sizeUnits = []struct {
	suffix string
	factor int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1000}, {"MB", 1e6}, {"GB", 1e9}}

func parseSize(text string) (int64, error) {
	number, factor := text, int64(1)
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(text, u.suffix); ok {
			number, factor = strings.TrimSpace(n), u.factor
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<50/factor {
		return 0, fmt.Errorf("%q is not a number such as 400, 256kB or 10MiB", text)
	}
	return n * factor, nil
}

// nearest words a hint with the known name that is the fewest edits away.
func nearest(name string) string {
	best, least := "", len(name)/2+1
	for _, st := range SettingNames() {
		if d := edits(name, st.Name); d < least {
			best, least = st.Name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; the nearest is " + best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// LoadSettings reads a YAML or JSON file of name: value pairs over the defaults. The key faults may hold rules in the
// syntax of [ParseFaults], as one text or as a list. An error names the file and the line.
func LoadSettings(path string) (Settings, Faults, error) {
	s := Defaults()
	raw, err := os.ReadFile(path)
	if err != nil {
		return s, nil, fmt.Errorf("read settings: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return s, nil, fmt.Errorf("settings %s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return s, nil, nil
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return s, nil, fmt.Errorf("settings %s:%d: not name: value pairs", path, top.Line)
	}
	var faults Faults
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		if key.Value == "faults" {
			faults, err = ParseFaults(strings.Join(scalars(value), "\n"))
		} else {
			err = s.Set(key.Value, value.Value)
		}
		if err != nil {
			return s, nil, fmt.Errorf("settings %s:%d: %w", path, value.Line, err)
		}
	}
	return s, faults, nil
}

func scalars(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	list := make([]string, 0, len(n.Content))
	for _, c := range n.Content {
		list = append(list, c.Value)
	}
	return list
}
