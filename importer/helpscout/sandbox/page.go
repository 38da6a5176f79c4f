package sandbox

import "net/http"

// servePage shows the account to a person.
func (s *Sandbox) servePage(r *http.Request) reply {
	return reply{status: http.StatusNotFound, typ: plainType, body: []byte("not found\n"), header: map[string]string{}}
}
