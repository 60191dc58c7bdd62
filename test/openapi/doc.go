// Package openapi compares the responses of the real program with the OpenAPI document that it
// serves. It is a module of its own, so that the parser of such documents is not a dependency of
// the product.
//
// The tests start the program that the environment variable LICENSOR names, with its demo tenant;
// without it they are skipped.
package openapi
