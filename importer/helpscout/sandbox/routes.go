package sandbox

// routeTable maps a path, in which # is an id, and a method to what answers. Paths that differ in a final slash are
// the same.
type routeTable map[string]map[string]*route

func (r routeTable) add(method, path, kind string, body class, handle func(*call) reply) {
	if r[path] == nil {
		r[path] = map[string]*route{}
	}
	r[path][method] = &route{kind, body, handle}
}

// The four verbs of most resources.

func (r routeTable) get(path, kind string, handle func(*call) reply) {
	r.add("GET", path, kind, bodyNone, handle)
}

func (r routeTable) del(path, kind string, handle func(*call) reply) {
	r.add("DELETE", path, kind, bodyNone, handle)
}

func (r routeTable) put(path, kind string, handle func(*call) reply) {
	r.add("PUT", path, kind, bodyOther, handle)
}

func (r routeTable) post(path, kind string, handle func(*call) reply) {
	r.add("POST", path, kind, bodyOther, handle)
}

func (r routeTable) patch(path, kind string, handle func(*call) reply) {
	r.add("PATCH", path, kind, bodyOther, handle)
}

// routes is the table of the API.
func routes() routeTable {
	r := routeTable{}
	r.conversations()
	r.threads()
	r.customers()
	r.account()
	return r
}

func (r routeTable) conversations() {
	const all, one = "/v2/conversations", "/v2/conversations/#"
	r.get(all, "list", (*call).listConversations)
	r.add("POST", all, "create", bodyCreate, (*call).createConversation)
	r.get(one, "get", (*call).getConversation)
	r.patch(one, "patch", (*call).patchConversation)
	r.del(one, "delete", (*call).deleteConversation)
	r.put(one+"/tags", "tags", (*call).putTags)
	r.put(one+"/fields", "fields", (*call).putFields)
	r.put(one+"/snooze", "snooze", (*call).snooze)
	r.del(one+"/snooze", "snooze", (*call).unsnooze)
	r.get("/v3/conversations", "list", (*call).listV3)
	r.get("/v3/conversations/search", "list", (*call).searchV3)
	r.get("/v3/conversations/#", "get", (*call).getConversation)
	r.get("/v3/conversations/#/threads", "threads", (*call).listThreads)
}

func (r routeTable) threads() {
	const conv = "/v2/conversations/#"
	r.get(conv+"/threads", "threads", (*call).listThreads)
	r.add("POST", conv+"/threads", "append", bodyThread, (*call).createSeedThread)
	for path, typ := range map[string]string{"customer": "customer", "reply": "reply", "notes": "note", "chats": "chat", "phones": "phone"} {
		r.add("POST", conv+"/"+path, typ, bodyThread, createThread(typ))
	}
	r.add("PATCH", conv+"/threads/#", "thread-update", bodyThread, (*call).updateThread)
	r.get(conv+"/threads/#/original-source", "attachment", (*call).originalSource)
	r.add("POST", conv+"/threads/#/attachments", "upload", bodyUpload, (*call).uploadAttachment)
	r.get(conv+"/attachments/#", "attachment", (*call).getAttachment)
	r.get(conv+"/attachments/#/data", "attachment", (*call).attachmentData)
	r.get(conv+"/attachments/#/file", "attachment", (*call).attachmentFile)
	r.del(conv+"/attachments/#", "attachment", (*call).deleteAttachment)
}

func (r routeTable) customers() {
	const all, one = "/v2/customers", "/v2/customers/#"
	r.get(all, "customer-list", (*call).listCustomers)
	r.get("/v3/customers", "customer-list", (*call).listCustomers)
	r.post(all, "customer-create", (*call).createCustomer)
	r.get(one, "customer-get", (*call).getCustomer)
	r.put(one, "customer-update", (*call).putCustomer)
	r.patch(one, "customer-update", (*call).patchCustomer)
	r.del(one, "customer-delete", (*call).deleteCustomer)
	for _, part := range customerParts {
		r.get(one+"/"+part.path, "customer-part", part.list)
		r.post(one+"/"+part.path, "customer-part", part.create)
		r.put(one+"/"+part.path+"/#", "customer-part", part.update)
		r.del(one+"/"+part.path+"/#", "customer-part", part.remove)
	}
	r.get(one+"/address", "customer-part", (*call).getAddress)
	r.post(one+"/address", "customer-part", (*call).putAddress)
	r.put(one+"/address", "customer-part", (*call).putAddress)
	r.del(one+"/address", "customer-part", (*call).deleteAddress)
	r.get(one+"/properties", "customer-part", (*call).getProperties)
	r.patch(one+"/properties", "customer-part", (*call).patchProperties)
}

func (r routeTable) account() {
	r.get("/v2/mailboxes", "directory", (*call).listMailboxes)
	r.get("/v2/mailboxes/#", "directory", (*call).getMailbox)
	r.get("/v2/mailboxes/#/fields", "directory", (*call).listFields)
	r.get("/v2/mailboxes/#/folders", "directory", (*call).listFolders)
	r.get("/v2/users", "directory", (*call).listUsers)
	r.get("/v2/users/me", "directory", (*call).getMe)
	r.get("/v2/users/#", "directory", (*call).getUser)
	r.get("/v2/teams", "directory", (*call).listTeams)
	r.get("/v2/teams/#", "directory", (*call).getTeam)
	r.get("/v2/teams/#/members", "directory", (*call).listMembers)
	r.get("/v2/tags", "directory", (*call).listTags)
	r.get("/v2/tags/#", "directory", (*call).getTag)
	r.get("/v2/workflows", "workflows", (*call).listWorkflows)
	r.patch("/v2/workflows/#", "workflows", (*call).patchWorkflow)
	r.post("/v2/workflows/#/run", "workflows", (*call).runWorkflow)
	r.get("/v2/webhooks", "webhooks", (*call).listWebhooks)
	r.post("/v2/webhooks", "webhooks", (*call).createWebhook)
	r.get("/v2/webhooks/#", "webhooks", (*call).getWebhook)
	r.put("/v2/webhooks/#", "webhooks", (*call).putWebhook)
	r.del("/v2/webhooks/#", "webhooks", (*call).deleteWebhook)
}
