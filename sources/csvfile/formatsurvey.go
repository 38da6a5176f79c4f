package csvfile

import (
	"context"

	"hsimport/sources"
)

// SurveyFormat is Survey for files of another format, read by the options; passed is what Inputs said of the files that
// it passed over.
func SurveyFormat(ctx context.Context, o Options, format Format, passed []sources.Problem) (*sources.Survey, error) {
	s := &Source{opts: o, format: format, passed: passed}
	defer s.Close()
	stats := newStats()
	s.stats = stats
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	out := &sources.Survey{Format: format.Kind(), Layout: s.layout, Ledger: &s.ledger}
	out.Records, out.Tickets = s.ledger.Records.Found, s.Len()
	out.Messages, out.Attachments = s.ledger.Records.Messages, s.ledger.Attachments.Found
	for _, f := range s.files {
		if f.outer != nil {
			continue
		}
		out.Files = append(out.Files, sources.SurveyFile{
			Path: f.label, Size: f.size, Encoding: f.in.encoding, Confidence: f.in.confidence, Role: f.role(), List: f.sheet.List,
		})
	}
	s.surveyColumns(out, stats)
	if err := s.surveyTickets(ctx, out); err != nil {
		return nil, err
	}
	s.surveyFindings(out)
	out.Oddities = out.Oddities[:min(len(out.Oddities), 10)]
	return out, nil
}

// role is what the survey calls the rows of a file.
func (f *file) role() string {
	switch f.b.shape {
	case ticketRows:
		return "tickets"
	case userRows:
		return "users"
	}
	return "messages"
}
