// Package framing refuses HTTP/1 requests whose end is ambiguous.
//
// Where a request ends decides where the next one begins. If a proxy and the server behind it
// disagree about that, data that one client has hidden in its request is taken for the next
// client's request (request smuggling). So a request must have exactly one interpretation: net/http
// refuses some ambiguous requests and repairs others silently, such as a Content-Length with a
// Transfer-Encoding, or lines that end without CR.
//
// Conn is between net/http and the connection and checks what is read. It passes on the head of a
// request only when it is complete and valid, and then as much of the body as the head says (RFC
// 9112). In place of a refused head, net/http gets a request that Handler answers with the reason,
// and nothing after it. So data after an ambiguous request is never taken for a request.
//
// A handler may respond without the body, at any time: the response is complete at once, and the
// rest of the body is dropped before the next request. So Conn passes on nothing after the end of a
// request until net/http reads the next one.
//
// HTTP/2 frames have their own length. Handler refuses requests whose headers contradict it.
package framing
