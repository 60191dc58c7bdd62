// Package gate limits the connections of a server, so that no client can exclude others by holding
// connections.
//
// There is a limit for all connections and a limit for each address, where an IPv6 address is the
// /64 of one subscriber. A connection is idle until the head of a request has arrived, and again
// when its responses have been sent. In between it is active, except while the server waits for
// more of a body. So a connection is idle that sends nothing, does not finish its handshake, or
// sends its head or a body byte by byte.
//
// At a limit, a new connection replaces an idle one, the longest idle first. At the limit of its
// address, it replaces one of the same address. At the limit for all, it replaces one of the
// address range with most connections, and within the range of the address with most, but never one
// of an address that has fewer connections than its own. So an address that opens too many
// connections does not affect others.
//
// If no connection is idle, a new one waits for a short time. If none has become free by then, and
// an address has more than its share, the oldest request of that address is aborted; otherwise the
// new connection is closed.
//
// Trusted proxies have no limit for their address, since they forward all clients. Their
// connections are replaced last, and their requests are never aborted.
//
// One HTTP/2 connection carries many requests. Like connections, they are limited by address and in
// total (Handler).
package gate
