// Package report shows what a dry run found, or what a run did, for people and for scripts: JSON lines, a table with one line a ticket, and
// one self-contained HTML page that a team decides by.
//
// The tour:
//
//	Collector   is shown every ticket once while it is planned (importer.Job.Each) and keeps what the page needs:
//	            counts under bounded headings (tally.go), queues, lists of the biggest, and a sample of tickets
//	            (preview.go). Its memory does not grow with the number of tickets, but for 8 bytes a customer.
//	            After a run, Stand is told where every conversation stands (importer.Job.Stands, stands.go).
//	HTML        joins the collection with the importer.Report to a view (view.go and its siblings: verdict, Monday
//	            morning, losses, flow, time, tables, findings) and writes the page (html.go, page.html).
//	Table       is the CSV: one line a ticket, the whole list that the page only samples.
//	Meaning, Hint  explain the codes of findings, whoever found them (hints.go).
//	JSON        is one object a line, the last one the summary.
//	Verification  is shown every conversation that verify has looked at, and writes a page of the same make.
//	Rejects, PlanFindings, RunRecords  are the tables that status writes from the checkpoint alone.
//
// The page opens from disk without network. Its Content-Security-Policy lets nothing in but one style sheet and one script,
// both named by their hash. All data goes through html/template; message bodies, sanitised by the mapping already, are
// taken apart once more (body.go) and shown in frames that may not run scripts. The same input gives the same bytes:
// there is no clock here, the times are those of the report.
package report
