// Package clients uses the program through third-party clients for Go: MSAL, the environments of
// HashiCorp's SDK for Azure, which Terraform's providers read, and hamilton. run.mjs starts the
// program for them; without it they are skipped.
package clients
