// Package gate bounds the connections of a server, so that nobody can keep the others out by
// holding connections.
//
// There is a bound in all and a bound for each address, where an address of IPv6 is the /64 that
// one subscriber has. A connection is idle until the head of a request has arrived, and again when
// its answers have been sent; in between it is active, but for the time in which the server waits
// for more of a body. So one that only opens, does not finish its handshake, or sends its head or a
// body byte by byte, is idle.
//
// At a bound, idle connections give way to newcomers, those that have been idle longest first. At
// the bound for its address a newcomer takes the place of another of the same address. At the bound
// in all it takes one of the range of addresses that has most connections, and within the range of
// the address that has most, and never one of an address that has fewer than its own: the excess of
// one address costs no other address anything.
//
// When nothing is idle a newcomer waits for a moment. If nothing has become free then, and an
// address has more than its share, the oldest request of that address is cut off; otherwise the
// newcomer is closed.
//
// Proxies that are trusted have no bound for their address, since all clients come from there. They
// give way last, and their requests are never cut off.
//
// One connection of HTTP/2 carries many requests. They are counted by address and in all as
// connections are (Handler).
package gate
