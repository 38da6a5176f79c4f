// Package sandbox is the Mailbox API 2.0 of Help Scout as an http.Handler: a whole account in memory, with the wire
// formats of the real service, its quota, and faults on demand. It is for tests, for people who rehearse a migration,
// and for developers of other integrations. It shares no type with this module's client, so that a wrong JSON tag on
// either side is seen.
//
//	s, err := sandbox.New(sandbox.Options{})
//	http.ListenAndServe("127.0.0.1:8080", s)             // over sockets
//	client := &http.Client{Transport: s.Transport()}     // or without, also in virtual time
//
// # The way of a call
//
// [Sandbox.ServeHTTP] and the round tripper of [Sandbox.Transport] meet in serve (serve.go). A call waits for half of
// the latency, shows its token (token.go), pays its units (quota.go), finds its route (routes.go), has its body read
// (415, 413), meets its fault (faults.go), and is handled: decoded and validated (decode.go, create.go, threads.go,
// people.go, mutate.go, customers.go), applied to the world (world.go) and rendered (wire.go, list.go with query.go
// and match.go, directory.go). Then it waits for the other half. A handler never looks at the connection: it may run
// after the client has gone.
//
// # What is not known of the service
//
// Each thing that nobody has published is a setting with a documented default; [SettingNames] lists them, settings.go
// says why they exist, [LoadSettings] reads a file of them.
//
// # Faults
//
// A fault befalls a call that has passed authentication and quota. It says what the client sees and, apart from that,
// whether the call is applied: not at all, before the answer is lost, or some time after. A script decides
// ([ParseFaults]), or a function ([Sandbox.Inject]). Rules are tried in order; the first that selects the call holds.
//
//	create#7=504,applied          the 7th create call: 504, and it was applied
//	create#3-9=reset,late:120s    the 3rd to 9th: connection reset, applied two minutes later
//	create%5=reset,applied        one in twenty, by the seed's dice: the same ones in every run
//	upload%2=timeout              no answer until the client gives up (or hang-max), not applied
//	list=slow,after:20s           every list call takes 20 s more, and is right
//	any%1=html200                 a gateway's page with status 200
//	get#1-3=empty                 200 without a body
//	threads#2=cut                 the answer breaks off half-way
//	any@300s+60s=429,after:30s    throttled between the 300th and the 360th second
//	write#50=401                  the token is revoked
//	outage@60s+10m                nothing can be reached from the 60th second on, for ten minutes
//	outage@60s+10m=503            the same, with a gateway that says so
//	token#2=500                   the token endpoint
//
// Kinds of calls: token, create, get, list, threads, customer, reply, note, chat, phone, thread-update, upload,
// attachment, patch, tags, fields, snooze, delete, customer-create, customer-get, customer-list, customer-update,
// customer-delete, customer-part, directory (mailboxes, users, teams, tags), workflows, webhooks. Groups: append (the
// five thread kinds), customers, read, write, any (all but token). The n-th of a kind counts the calls of that kind
// that got past authentication and quota; of a group, it counts within each kind.
//
// # Other actors
//
// Agents, customers and rivals act through methods (actors.go): [Sandbox.Retitle], [Sandbox.Move], [Sandbox.Merge],
// [Sandbox.Reply], [Sandbox.DeleteConversation], [Sandbox.AddNative], [Sandbox.AddWorkflow], [Sandbox.SetCompetitor]
// and their like, or through the control endpoints (control.go), which live under /_sandbox/, a path that the real
// service does not have. [Sandbox.Dump] and GET /_sandbox/dump tell the whole truth.
//
// # The page
//
// Under / a person sees the account: mailboxes and folders, the conversations with a search in the API's own language,
// each conversation as an agent would see it, the call log with its faults, and the settings in force (page.go,
// pageview.go, the folder page). It is rendered here, has no script, and shows the HTML of messages only sanitised.
// pagebrowser_test.go walks it in a headless Chromium where there is one, with SANDBOX_SHOTS=folder for pictures.
//
// # Conformance
//
// TestConformanceReading and TestConformanceWriting (conformance_test.go) hold any server to what is documented, this
// one by default, the real service with CONFORMANCE_BASE; the writing one then logs what it learned for each setting.
// TestCorpusRecordedTraffic (replay_test.go) replays what a client of the real service recorded in 2019 and compares
// status, headers and shapes; the differences that remain stand there with their reasons.
//
// # State
//
// The account begins as [DefaultSeed] or as a [Seed] of one's own, such as the snapshot that hsimport doctor takes of a
// real account ([LoadSeed]). It lives in memory, and with Options.Log in a file of JSON lines too (log.go), which a
// later sandbox continues and which only one has at a time. The clock is the time package's, so all of it runs in virtual time inside a testing/synctest bubble.
package sandbox
