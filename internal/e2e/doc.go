// Package e2e publishes to real servers and checks with real consumers: Fulcio, a CT log and Rekor on Trillian, a
// timestamp authority, two registries, BuildKit and buildx; gh, cosign and the taglast binary itself; act, which runs
// workflows with the action. GitHub's own services (ID tokens, the attestations API, the downloads of releases) and other
// people's actions (testdata/actions) are the only stand-ins. Everything listens on loopback, and nothing outside is asked.
//
// The tests are behind the build tag e2e:
//
//	go test -tags e2e ./internal/e2e/...
//
// The first run builds the servers and consumers from their Go modules into the user's cache directory, which takes
// minutes; later runs take them from there. Programs learn whom to trust from SSL_CERT_FILE, so this is for Linux.
// BuildKit starts containers: its tests need root and runc, and workflows call jq; they fail where these are missing.
package e2e
