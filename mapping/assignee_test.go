package mapping

import (
	"testing"

	"hsimport/sources"
)

// TestAssignees: who is assigned, and what is said about who is not. One who has left is no gap in the configuration,
// and a group that a person takes the place of is not lost without a word.
func TestAssignees(t *testing.T) {
	opts := basic()
	opts.Agents = map[string]string{"gone@support.example": ""}
	opts.Teams = map[string]string{"tier 2": "Second line"}
	for _, c := range []struct {
		name, assignee, group string
		want                  int64
		code                  string
	}{
		{"a user", "grace@support.example", "", 12, ""},
		{"a user goes before a group", "grace@support.example", "Tier 2", 12, codeGroupBehind},
		{"who has left", "gone@support.example", "", 0, codeAssigneeLeft},
		{"who has left, of a team", "gone@support.example", "Tier 2", 71, codeAssigneeLeft},
		{"somebody nobody mapped", "who@legacy.example", "", 0, codeAssignee},
		{"a group alone", "", "Tier 2", 71, ""},
		{"a group nobody mapped", "", "Tier 3", 0, codeGroup},
	} {
		t.Run(c.name, func(t *testing.T) {
			ticket := conversationOf(2, "open")
			ticket.Group = c.group
			if c.assignee != "" {
				ticket.Assignee = &sources.Person{Email: c.assignee}
			}
			p := mustMap(t, opts, ticket)
			got := int64(0)
			if to := p.Parts[0].Conversation.AssignTo; to != nil {
				got = *to
			}
			if got != c.want {
				t.Errorf("assigned to %d, want %d", got, c.want)
			}
			for _, code := range []string{codeGroupBehind, codeAssigneeLeft, codeAssignee, codeGroup} {
				if hasCode(p, code) != (code == c.code) {
					t.Errorf("finding %s: %t", code, hasCode(p, code))
				}
			}
		})
	}
}
