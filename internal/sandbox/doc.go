// Package sandbox is the world of a dry run and of the tests: a runner's ID tokens, Fulcio with a certificate
// transparency log, Rekor, a timestamp authority, GitHub's attestations API and OCI registries, all in memory behind one
// http.RoundTripper. Production code runs on top of it unchanged.
//
// A World needs no sockets and starts no goroutines, so it works inside testing/synctest bubbles; Listen serves the same
// World on loopback for programs in other processes. Its registries check the law of this project at every tag that is
// written, before they answer: the digest is attested, by a bundle that verifies under the world's own trusted root.
//
// With a base transport the registries are an overlay: what is written stays inside, what was never written is read from
// the real registry. Nothing of Sigstore, of ID tokens or of the attestations API ever leaves.
//
// The authorities are named so that no verifier takes them for Sigstore's or GitHub's, and their keys exist only in
// memory. Of this program the package imports nothing but leaves (bounded reads, names of the distribution
// specification, links): it is the world that checks the rest.
package sandbox
