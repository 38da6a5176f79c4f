package report

import (
	"encoding/json"
	"io"

	"hsimport/importer"
)

// The objects of the JSON report. Their keys are part of the interface; message_type tells them apart.
type (
	jsonFinding struct {
		MessageType string        `json:"message_type"` // finding
		Severity    string        `json:"severity"`
		Code        string        `json:"code"`
		Value       string        `json:"value"`
		Count       int           `json:"count"`
		Examples    []jsonExample `json:"examples"`
	}
	jsonExample struct {
		Key   string `json:"key"`
		Place string `json:"place"`
		Text  string `json:"text"`
	}
	jsonOutcome struct {
		MessageType string `json:"message_type"` // rejected_record, in_doubt_record
		Key         string `json:"key"`
		ID          string `json:"id"`
		Part        int    `json:"part"`
		Place       string `json:"place"`
		Reason      string `json:"reason"`
		Status      int    `json:"status"`
		Candidate   int64  `json:"candidate"`
	}
	jsonRefusal struct {
		MessageType string `json:"message_type"` // unreadable_record
		Place       string `json:"place"`
		Bytes       int64  `json:"bytes"`
		Reason      string `json:"reason"`
	}
)

// JSON writes what Records writes, and last the summary.
func JSON(w io.Writer, rep *importer.Report) error {
	if err := Records(w, rep); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(rep.Summary)
}

// Records writes one object a line: the findings with examples, the records that will not arrive, those in doubt, those
// that could not be read.
func Records(w io.Writer, rep *importer.Report) error {
	enc := json.NewEncoder(w)
	for _, g := range rep.Findings.Groups() {
		f := jsonFinding{"finding", g.Severity.String(), g.Code, g.Value, g.N, []jsonExample{}}
		for _, e := range g.Examples {
			f.Examples = append(f.Examples, jsonExample{string(e.Key), e.Position.String(), e.Text})
		}
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	for _, list := range []struct {
		kind     string
		outcomes []importer.Outcome
	}{{"rejected_record", rep.Rejected}, {"in_doubt_record", rep.Doubtful}} {
		for _, o := range list.outcomes {
			if err := enc.Encode(jsonOutcome{list.kind, o.Key, o.ID, o.Part, o.Place, o.Reason, o.Status, o.Candidate}); err != nil {
				return err
			}
		}
	}
	for _, r := range unreadable(rep) {
		if err := enc.Encode(jsonRefusal{"unreadable_record", r.Position.String(), r.Bytes, r.Reason}); err != nil {
			return err
		}
	}
	return nil
}
