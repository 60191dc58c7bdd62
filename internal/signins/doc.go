// Package signins records who signs in (docs/spec/audit.md, section 4): the authority reports each
// sign-in to a Recorder, which writes them behind its responses, to tables that are not part of the
// log of a tenant. A Query reads them.
//
// Rules are cited from docs/spec/audit.md.
package signins
