package policy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/policy"
)

// A consumer checks that a workflow of acme/app signed an image on a tag, and ran on GitHub's own machines.
func ExampleConsumer() {
	trusted, err := root.NewTrustedRootFromPath("trusted_root.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	raw, err := os.ReadFile("app.sigstore.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	attestation, err := bundle.Parse(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	manifest, err := os.ReadFile("index.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha256.Sum256(manifest)
	verified, err := policy.Consumer{
		Trusted:        []root.TrustedMaterial{trusted},
		Repo:           "acme/app",
		SourceRef:      "refs/tags/v1.2.3",
		DenySelfHosted: true,
	}.Check(attestation, "sha256", digest[:])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hex.EncodeToString(digest[:]), "was built by", verified.Certificate.RunInvocationURI)
}

// Flags that do not go together are found before anything is read.
func ExampleConsumer_Validate() {
	fmt.Println(policy.Consumer{Repo: "acme/app", Owner: "acme"}.Validate())
	fmt.Println(policy.Consumer{SignerWorkflow: "acme/app"}.Validate())
	// Output:
	// invalid verification policy: --repo and --owner exclude each other
	// invalid verification policy: --signer-workflow "acme/app" is not [HOST/]OWNER/REPO/PATH
}
