// Package mapping turns a ticket into a plan. It is pure: no I/O, no clock, no context, no randomness; the same ticket,
// Options and Target give the same Plan, byte for byte, on any machine. It never fails, it finds: whatever is changed,
// replaced or refused is a Finding.
//
// On its left stand the words of package sources (ticket, message, requester, agent), on its right those of Help Scout
// (conversation, thread, customer, user).
package mapping
