// Package importing reads files of users, groups, memberships, subscriptions and of what exports
// have, and sends them to the import of a tenant.
//
// Open determines the format of each file by its beginning: CSV, JSON as a list or as responses of
// Microsoft Graph, or one JSON object per line. It determines what a file has by its properties and
// its name. Import sends the rows of a file in pieces over an API, and reads the next piece
// meanwhile. A row that cannot be read or that the server refuses is a Fault with its line; the
// others are imported. Rows are numbered, and a file has an id of its content, so the server skips
// what an interrupted import has processed before.
package importing
