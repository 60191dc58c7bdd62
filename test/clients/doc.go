// Package clients uses the program through clients for Go that others write: MSAL, the environments
// of HashiCorp's SDK for Azure, which Terraform's providers read, and hamilton. run.mjs starts the
// program for them; without it they are skipped.
package clients
