package sandbox

import "net/http"

// routes is the table of the API: method and path, kind of call, limit of the body. A # is an id. Paths that differ
// in a final slash are the same.
func routes() map[string]map[string]*route {
	table := map[string]map[string]*route{}
	add := func(method, path, kind string, body class, handle func(*call) reply) {
		if table[path] == nil {
			table[path] = map[string]*route{}
		}
		table[path][method] = &route{kind, body, handle}
	}
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete

	const convs, conv = "/v2/conversations", "/v2/conversations/#"
	add(get, convs, "list", bodyNone, (*call).listConversations)
	add(post, convs, "create", bodyCreate, (*call).createConversation)
	add(get, conv, "get", bodyNone, (*call).getConversation)
	add(patch, conv, "patch", bodyOther, (*call).patchConversation)
	add(del, conv, "delete", bodyNone, (*call).deleteConversation)
	add(put, conv+"/tags", "tags", bodyOther, (*call).putTags)
	add(put, conv+"/fields", "fields", bodyOther, (*call).putFields)
	add(put, conv+"/snooze", "snooze", bodyOther, (*call).snooze)
	add(del, conv+"/snooze", "snooze", bodyNone, (*call).unsnooze)
	add(get, conv+"/threads", "threads", bodyNone, (*call).listThreads)
	add(post, conv+"/threads", "append", bodyThread, (*call).createSeedThread)
	for path, typ := range map[string]string{"customer": "customer", "reply": "reply", "notes": "note", "chats": "chat", "phones": "phone"} {
		add(post, conv+"/"+path, typ, bodyThread, createThread(typ))
	}
	add(patch, conv+"/threads/#", "thread-update", bodyThread, (*call).updateThread)
	add(get, conv+"/threads/#/original-source", "attachment", bodyNone, (*call).originalSource)
	add(post, conv+"/threads/#/attachments", "upload", bodyUpload, (*call).uploadAttachment)
	add(get, conv+"/attachments/#", "attachment", bodyNone, (*call).getAttachment)
	add(get, conv+"/attachments/#/data", "attachment", bodyNone, (*call).attachmentData)
	add(get, conv+"/attachments/#/file", "attachment", bodyNone, (*call).attachmentFile)
	add(del, conv+"/attachments/#", "attachment", bodyNone, (*call).deleteAttachment)
	add(get, "/v3/conversations", "list", bodyNone, (*call).listV3)
	add(get, "/v3/conversations/search", "list", bodyNone, (*call).searchV3)
	add(get, "/v3/conversations/#", "get", bodyNone, (*call).getConversation)
	add(get, "/v3/conversations/#/threads", "threads", bodyNone, (*call).listThreads)

	const people, person = "/v2/customers", "/v2/customers/#"
	add(get, people, "customer-list", bodyNone, (*call).listCustomers)
	add(get, "/v3/customers", "customer-list", bodyNone, (*call).listCustomers)
	add(post, people, "customer-create", bodyOther, (*call).createCustomer)
	add(get, person, "customer-get", bodyNone, (*call).getCustomer)
	add(put, person, "customer-update", bodyOther, (*call).putCustomer)
	add(patch, person, "customer-update", bodyOther, (*call).patchCustomer)
	add(del, person, "customer-delete", bodyNone, (*call).deleteCustomer)
	for _, part := range customerParts {
		add(get, person+"/"+part.path, "customer-part", bodyNone, part.list)
		add(post, person+"/"+part.path, "customer-part", bodyOther, part.create)
		add(put, person+"/"+part.path+"/#", "customer-part", bodyOther, part.update)
		add(del, person+"/"+part.path+"/#", "customer-part", bodyNone, part.remove)
	}
	add(get, person+"/address", "customer-part", bodyNone, (*call).getAddress)
	add(post, person+"/address", "customer-part", bodyOther, (*call).putAddress)
	add(put, person+"/address", "customer-part", bodyOther, (*call).putAddress)
	add(del, person+"/address", "customer-part", bodyNone, (*call).deleteAddress)
	add(get, person+"/properties", "customer-part", bodyNone, (*call).getProperties)
	add(patch, person+"/properties", "customer-part", bodyOther, (*call).patchProperties)

	add(get, "/v2/mailboxes", "directory", bodyNone, (*call).listMailboxes)
	add(get, "/v2/mailboxes/#", "directory", bodyNone, (*call).getMailbox)
	add(get, "/v2/mailboxes/#/fields", "directory", bodyNone, (*call).listFields)
	add(get, "/v2/mailboxes/#/folders", "directory", bodyNone, (*call).listFolders)
	add(get, "/v2/users", "directory", bodyNone, (*call).listUsers)
	add(get, "/v2/users/me", "directory", bodyNone, (*call).getMe)
	add(get, "/v2/users/#", "directory", bodyNone, (*call).getUser)
	add(get, "/v2/teams", "directory", bodyNone, (*call).listTeams)
	add(get, "/v2/teams/#", "directory", bodyNone, (*call).getTeam)
	add(get, "/v2/teams/#/members", "directory", bodyNone, (*call).listMembers)
	add(get, "/v2/tags", "directory", bodyNone, (*call).listTags)
	add(get, "/v2/tags/#", "directory", bodyNone, (*call).getTag)
	add(get, "/v2/workflows", "workflows", bodyNone, (*call).listWorkflows)
	add(patch, "/v2/workflows/#", "workflows", bodyOther, (*call).patchWorkflow)
	add(post, "/v2/workflows/#/run", "workflows", bodyOther, (*call).runWorkflow)
	add(get, "/v2/webhooks", "webhooks", bodyNone, (*call).listWebhooks)
	add(post, "/v2/webhooks", "webhooks", bodyOther, (*call).createWebhook)
	add(get, "/v2/webhooks/#", "webhooks", bodyNone, (*call).getWebhook)
	add(put, "/v2/webhooks/#", "webhooks", bodyOther, (*call).putWebhook)
	add(del, "/v2/webhooks/#", "webhooks", bodyNone, (*call).deleteWebhook)
	return table
}
