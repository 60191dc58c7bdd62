// Package framing refuses requests of HTTP/1 whose ends can be told in more than one way.
//
// Where a request ends decides where the next one begins. When a proxy and the server behind it
// disagree about that, what one client has hidden in its request is taken for the next client's
// (request smuggling). So a request must have exactly one reading: net/http refuses some that have
// several and repairs others in silence, such as a Content-Length beside a Transfer-Encoding, or
// lines that end without CR.
//
// Conn stands between net/http and the connection and reads along. It hands on the head of a
// request only when all of it is there and is good, and then as much of the body as the head says
// (RFC 9112). In place of a head that is refused, net/http gets a request that Handler answers with
// the reason, and after that nothing more. So nothing that follows an ambiguous request is ever
// taken for a request.
//
// The frames of HTTP/2 say by themselves where they end. Handler refuses requests in which headers
// say something else.
package framing
