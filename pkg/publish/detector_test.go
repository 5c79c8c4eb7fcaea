//go:build race

package publish_test

// raceDetector says that the race detector is on. It makes a run several times as slow, and finds in every third
// disturbance what it would find in all; that the law holds under all of them is tested without it.
const raceDetector = true
