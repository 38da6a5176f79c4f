package configs

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsimport/sources"
)

// loadAgents loads a configuration in whose folder a file of agents lies.
func loadAgents(t *testing.T, agents, more string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"i.yaml": with("mapping:\n  agents_file: staff.csv\n" + more), "staff.csv": agents} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Load(filepath.Join(dir, "i.yaml"), noEnv)
}

// TestAgentsFile: what a person filled in is the table, whatever their spreadsheet made of the file; an empty cell says
// nothing, and the configuration goes before the file.
func TestAgentsFile(t *testing.T) {
	for name, text := range map[string]string{
		"as written": "\ufefflegacy id,address,name,messages,Help Scout user\n7,old.ann@legacy.example,Ann,12,ann@support.example\n8,bob@legacy.example,Bob,3,left\n,,Cy D,1,cy@support.example\n9,dan@legacy.example,Dan,2,\n,eve@legacy.example,,1,x@support.example\n",
		"semicolons": "Address;Help_Scout_User;Legacy ID;Name\r\nOLD.ann@legacy.example;ann@support.example;7;Ann\r\nbob@legacy.example; LEFT ;8;Bob\r\n;cy@support.example;;Cy  D\r\neve@legacy.example;x@support.example;;\r\n",
		"tabs":       "Help Scout user\tname\taddress\tlegacy id\nann@support.example\tAnn\told.ann@legacy.example\t7\nleft\tBob\tbob@legacy.example\t8\ncy@support.example\t\"Cy D\"\nx@support.example\t\teve@legacy.example\n",
	} {
		c, err := loadAgents(t, text, "  agents: {Eve@legacy.example: eve@support.example}\n")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{
			"7": "ann@support.example", "old.ann@legacy.example": "ann@support.example", "8": "", "bob@legacy.example": "",
			"cy d": "cy@support.example", "Eve@legacy.example": "eve@support.example",
		}
		if !maps.Equal(c.Mapping.Agents, want) {
			t.Errorf("%s: agents %q, want %q", name, c.Mapping.Agents, want)
		}
	}
}

func TestWrongAgentsFile(t *testing.T) {
	const head = "legacy id,address,name,messages,Help Scout user\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "staff.csv: the file of agents is empty"},
		"another":    {"id,status\n1,open\n", `staff.csv:1: the header lacks the column "Help Scout user"`},
		"no address": {head + "7,,Ann,1,Ann Smith\n", `staff.csv:2: "Ann Smith" is not the e-mail of a Help Scout user (write "left" for one who has left`},
		"nobody":     {head + "\n,,,1,ann@support.example\n", "staff.csv:3: nothing says who this agent is"},
		"twice":      {head + "7,,Ann,1,ann@support.example\n7,,Ann,1,left\n", `staff.csv:3: agent "7" stands in line 2 already, with another user`},
		"not UTF-8":  {head + "7,,J\xfcrgen,1,left\n", "staff.csv: this is not a CSV file in UTF-8 (save it as CSV UTF-8)"},
	} {
		if _, err := loadAgents(t, c.text, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := loadAgents(t, head, "  bulk: tag\n"); err != nil {
		t.Errorf("a file that nobody has filled in yet: %v", err)
	}
}

// TestAgentsFileIsWhatDecides: where the file lies does not move the digest, what it says does.
func TestAgentsFileIsWhatDecides(t *testing.T) {
	const row = "legacy id,address,name,messages,Help Scout user\n7,,Ann,1,"
	digest := func(user string) string {
		c, err := loadAgents(t, row+user+"\n", "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Digest()
	}
	here, there := digest("ann@support.example"), digest("ann@support.example")
	if here != there {
		t.Error("the digest depends on the folder")
	}
	if here == digest("left") {
		t.Error("the digest does not depend on what the file says")
	}
}

// TestAgentsFileOfASurvey: what init writes is read back, and holds no formula that a spreadsheet would run.
func TestAgentsFileOfASurvey(t *testing.T) {
	s := &sources.Survey{Staff: []sources.SurveyPerson{{ID: "7", Name: "Ann, \"the\" First", Email: "ann@legacy.example", N: 12}, {Name: "=HYPERLINK(1)", N: 1}}}
	got := string(AgentsFile(s))
	want := "\ufefflegacy id,address,name,messages,Help Scout user\n7,ann@legacy.example,\"Ann, \"\"the\"\" First\",12,\n,,'=HYPERLINK(1),1,\n"
	if got != want {
		t.Errorf("written\n%q\nwant\n%q", got, want)
	}
	c, err := loadAgents(t, strings.ReplaceAll(got, ",1,\n", ",1,left\n"), "")
	if err != nil || !maps.Equal(c.Mapping.Agents, map[string]string{"=hyperlink(1)": ""}) {
		t.Errorf("read back: %v, %v", c, err)
	}
	only := &sources.Survey{Agents: []sources.Count{{Value: "ann@legacy.example", N: 2}, {Value: "Bob", N: 1}}}
	if got, want := string(AgentsFile(only)), "\ufefflegacy id,address,name,messages,Help Scout user\n,ann@legacy.example,,2,\n,,Bob,1,\n"; got != want {
		t.Errorf("written\n%q\nwant\n%q", got, want)
	}
}
