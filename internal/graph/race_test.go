//go:build race

package graph

// slowness is how many times fewer users the large tests have under the race detector.
const slowness = 20
