// Package trail is an index of a log: it finds the commits that concern a user or a group, without
// reading the others.
//
// An Index is a value that grows by one commit at a time, and is part of the image of a tenant. It
// has stretches of 4,096 commits each. A finished stretch has a sorted list of objects with their
// commits, and a bitmap for each commit that concerns many objects, so that a commit about a
// million users is not a million entries. A snapshot has each stretch as a part, and a finished
// stretch never changes.
//
// The index says which commits may concern an object: all that do are among them, and so are all
// commits of stretches that it does not have. It lacks commits that were made before there was an
// index, and the oldest stretches of a log whose index would become too large.
package trail
