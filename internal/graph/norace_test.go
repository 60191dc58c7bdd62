//go:build !race

package graph

const slowness = 1
