package publish_test

import (
	"context"
	"fmt"
	"os"

	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// The release is published in a dry run: every stage runs, on an overlay in memory, and nothing leaves this machine. Publish takes the
// same options.
func Example() {
	out, err := os.MkdirTemp("", "taglast")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(out)

	file, err := release.Load("../../testdata/quickstart/taglast.yaml", os.LookupEnv)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := publish.DryRun(context.Background(), publish.Options{
		File: file, OutputDir: out,
		Getenv: func(string) string { return "" }, // as on a desk, in a job too
	}, true)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Outcome, report.Version, "dry run:", report.DryRun)
	for _, image := range report.Images {
		fmt.Println(image.Name, len(image.Platforms), "platforms, attested:", len(image.Attestations) > 0)
		for _, tag := range image.Tags {
			fmt.Println(" ", tag.Action, tag.Class, tag.Ref)
		}
	}
	// Output:
	// published 1.2.3 dry run: true
	// hello 2 platforms, attested: true
	//   created fixed ghcr.io/acme/hello:1.2.3
	//   created moving ghcr.io/acme/hello:1.2
	//   created moving ghcr.io/acme/hello:latest
}
