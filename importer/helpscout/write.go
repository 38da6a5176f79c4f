package helpscout

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Every function of this file is a write: granted by its caller beforehand, sent at most once, and InDoubt whenever
// its outcome is not known.

// CreateConversation posts a conversation with its threads (a [NewConversation]) and returns its id.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/create
func (c *Client) CreateConversation(ctx context.Context, b *Body) (int64, error) {
	return c.create(ctx, "/v2/conversations", b)
}

// CreateCustomer posts a customer and returns its id. An address that belongs to another customer is a 409.
// https://developer.helpscout.com/mailbox-api/endpoints/customers/create
func (c *Client) CreateCustomer(ctx context.Context, b *Body) (int64, error) {
	return c.create(ctx, "/v2/customers", b)
}

func (c *Client) create(ctx context.Context, path string, b *Body) (int64, error) {
	q := call{method: http.MethodPost, path: path, body: b}
	a, err := c.do(ctx, q)
	if err != nil {
		return 0, err
	}
	id := createdID(a.header)
	if id == 0 {
		return 0, c.unusable(q, a, "the answer names no id")
	}
	return id, nil
}

// threadPaths are the endpoints of the five kinds of threads.
var threadPaths = map[string]string{
	ThreadCustomer: "customer",
	ThreadReply:    "reply",
	ThreadNote:     "notes",
	ThreadChat:     "chats",
	ThreadPhone:    "phones",
}

// AppendThread posts a thread (a [NewThread] without Type) of the kind customer, reply, note, chat or phone to a
// conversation. The thread's id is 0 when the server does not say it, as it did not before August 2023.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/threads/customer and its siblings
func (c *Client) AppendThread(ctx context.Context, conversation int64, kind string, b *Body) (int64, error) {
	path, ok := threadPaths[kind]
	if !ok {
		return 0, fmt.Errorf("append a thread: %q is not customer, reply, note, chat or phone", kind)
	}
	q := call{method: http.MethodPost, path: conversationPath(conversation) + "/" + path, body: b}
	a, err := c.do(ctx, q)
	if err != nil {
		return 0, err
	}
	id := positive(a.header.Get("Resource-ID"))
	if id == 0 && (a.status != http.StatusCreated || a.webpage()) {
		return 0, c.unusable(q, a, "the answer is not that of a created thread")
	}
	return id, nil
}

// Upload posts a file (a [NewAttachment]) to a thread. The server tells no id; the thread list does.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/attachments/create
func (c *Client) Upload(ctx context.Context, conversation, thread int64, b *Body) error {
	path := conversationPath(conversation) + "/threads/" + strconv.FormatInt(thread, 10) + "/attachments"
	q := call{method: http.MethodPost, path: path, body: b}
	a, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	if positive(a.header.Get("Resource-ID")) == 0 && (a.status != http.StatusCreated || a.webpage()) {
		return c.unusable(q, a, "the answer is not that of a created attachment")
	}
	return nil
}

// Delete moves a conversation to the trash. A 404 may mean that it was merged into another one: ask with Conversation.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/delete
func (c *Client) Delete(ctx context.Context, conversation int64) error {
	return c.change(ctx, call{method: http.MethodDelete, path: conversationPath(conversation)})
}

// Patch changes one thing: op is replace, move or remove (which takes no value), pointer is as in /status. The path
// is that of the entity, /v2/conversations/1, /v2/conversations/1/threads/2 or /v2/workflows/3.
// https://developer.helpscout.com/mailbox-api/endpoints/conversations/update
func (c *Client) Patch(ctx context.Context, path, op, pointer string, value any) error {
	if !strings.HasPrefix(path, "/v2/") || strings.ContainsAny(path, "?#%") {
		return fmt.Errorf("patch %q: not the path of an entity", path)
	}
	operation := map[string]any{"op": op, "path": pointer}
	if op != "remove" {
		operation["value"] = value
	}
	b, err := NewBody(operation, nil)
	if err != nil {
		return fmt.Errorf("patch %s: %w", path, err)
	}
	return c.change(ctx, call{method: http.MethodPatch, path: path, body: b})
}

// change sends what is answered with a 204.
func (c *Client) change(ctx context.Context, q call) error {
	a, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	done := a.status == http.StatusNoContent || a.status == http.StatusOK && len(a.body) == 0 && a.err == nil
	if !done || a.webpage() {
		return c.unusable(q, a, "the answer is not that of a change")
	}
	return nil
}

func conversationPath(id int64) string {
	return "/v2/conversations/" + strconv.FormatInt(id, 10)
}
