// Package helpscout is the client of the Help Scout Mailbox API 2.0 and the home of its wire types. It knows nothing
// of migrations: it sends one request at a time, says what became of it, and leaves every decision to its caller.
//
// The tour:
//
//   - types.go: the entities as they are posted and as they are read back.
//   - errors.go: [Error] and [Kind]. Every failure is sorted once, by what the caller must do about it.
//   - client.go: [Options], [New], the deadlines.
//   - token.go: the access token, in memory only, fetched by one caller at a time.
//   - send.go: one request and its answer. No write is ever repeated here, but for an answer that proves that
//     nothing was applied (a 401, a 417).
//   - answer.go: from an answer that is not a success to an [Error]; secrets and control characters stay out of it.
//   - body.go: [Body], a request body in which the symbols of attachments become base64 while it is sent.
//   - read.go, list.go: what is asked; write.go: what is changed.
//
// # Quota
//
// A read asks Options.Grant before it goes out, each page of a list anew; a write does not, because its caller writes
// down the intent between the grant and the request. A repetition after a 401 or a 417 asks no second time: such a
// request was turned away before it was counted. Every answer is shown to Options.Observe. Token requests take no quota.
//
// # In doubt
//
// A write whose outcome is not known ends in an [Error] of kind [InDoubt], never in a repetition. Redirects are never
// followed, neither on reads nor on writes nor on token requests.
package helpscout
