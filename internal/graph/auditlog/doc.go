// Package auditlog has the operations that read the audit log: those of Graph, and ours for
// programs that collect its entries. Package audit derives the entries. It also has the operations
// that read sign-ins, which package signins records.
//
// Rules are cited from docs/spec/audit.md (U) and docs/spec/protocol.md (P).
package auditlog
