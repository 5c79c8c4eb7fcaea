package verify_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/taglast/taglast/internal/testkit/verifytest"
	"github.com/taglast/taglast/pkg/verify"
)

// An image is verified: its tag names a digest, and a workflow of acme/app has attested that digest. A real program
// leaves out HTTP, Roots and Token: nil and empty mean the network, the trusted roots of Sigstore's public-good instance
// and of GitHub, and no login.
func Example() {
	world, err := verifytest.Published(context.Background()) // stands in for registry, GitHub and Sigstore
	if err != nil {
		fmt.Println(err)
		return
	}
	roots, err := verify.ParseTrustedRoots(world.TrustedRoot())
	if err != nil {
		fmt.Println(err)
		return
	}

	result, err := verify.Verify(context.Background(), "ghcr.io/acme/app:1.2.3", verify.Options{
		Policy: verify.Policy{Repo: "acme/app"},

		HTTP: world, Roots: roots, Token: world.Env()["GITHUB_TOKEN"],
	})
	if err != nil {
		fmt.Println(err, verify.Hint(err))
		return
	}
	fmt.Println("deploy", "ghcr.io/acme/app@"+result.Digest)
	for _, a := range result.Verified {
		fmt.Println("type  ", a.PredicateType)
		fmt.Println("signer", a.Certificate.Identity)
		fmt.Println("source", a.Certificate.SourceRepository, a.Certificate.SourceRef)
	}
	// Output:
	// deploy ghcr.io/acme/app@sha256:f08d4d136a2b9588fa87ade9459233bc54dde6a539b0e28589687b256bb49f30
	// type   https://slsa.dev/provenance/v1
	// signer https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3
	// source https://github.com/acme/app refs/tags/v1.2.3
}

// A policy that the attestations do not meet is an error that says why each of them was refused.
func Example_refused() {
	world, err := verifytest.Published(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	roots, err := verify.ParseTrustedRoots(world.TrustedRoot())
	if err != nil {
		fmt.Println(err)
		return
	}

	result, err := verify.Verify(context.Background(), "ghcr.io/acme/app:1.2.3", verify.Options{
		Policy: verify.Policy{Repo: "acme/app", SourceRef: "refs/heads/main", DenySelfHostedRunners: true},

		HTTP: world, Roots: roots, Token: world.Env()["GITHUB_TOKEN"],
	})
	fmt.Println("none passes:", errors.Is(err, verify.ErrNonePasses))
	for _, line := range result.Refusals() {
		fmt.Println(line)
	}
	// Output:
	// none passes: true
	// 1 of 1 from api.github.com: certificate source ref: expected "refs/heads/main", got "refs/tags/v1.2.3"
}
