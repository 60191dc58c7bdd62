// Package sdk uses the real program through Microsoft's Go client for Graph and its credentials, as
// their users do: their default middleware, with request bodies compressed, and https. It is a
// module of its own, so that the clients are not dependencies of the product.
//
// The tests start the program that the environment variable LICENSOR names, with its demo tenant;
// without it they are skipped. `make test-sdk` builds and runs them.
package sdk
