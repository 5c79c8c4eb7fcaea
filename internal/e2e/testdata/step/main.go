// Step is the one program in the base images of the tests: what their Dockerfiles run, where no shell is, and, as
// BuildKit's SBOM scanner, what lists the files of an image.
//
//	step time FILE         writes the time of now
//	step sum FROM TO       writes the SHA-256 of a file
//	step write TO TEXT…    writes a text, with $NAME replaced from the environment
//	step say FILE          says what is in a file
//	step sleep DURATION    does nothing for so long
//	step fail TEXT…        says a text on standard error and ends with status 7
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(7)
	}
}

func run(args []string) error {
	if to := os.Getenv("BUILDKIT_SCAN_DESTINATION"); to != "" {
		return scan(os.Getenv("BUILDKIT_SCAN_SOURCE"), to)
	}
	if len(args) < 2 {
		return fmt.Errorf("usage: step time|sum|say|write|sleep|fail ARGUMENT…, not %q", args)
	}
	switch args[0] {
	case "time":
		return put(args[1], []byte(time.Now().Format(time.RFC3339Nano)))
	case "sum":
		raw, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		return put(args[2], fmt.Appendf(nil, "%x", sha256.Sum256(raw)))
	case "say":
		raw, err := os.ReadFile(args[1])
		fmt.Printf("%s says %s\n", args[1], raw)
		return err
	case "write":
		return put(args[1], []byte(os.ExpandEnv(strings.Join(args[2:], " "))))
	case "sleep":
		d, err := time.ParseDuration(args[1])
		time.Sleep(d)
		return err
	default:
		return fmt.Errorf("%s", strings.Join(args[1:], " "))
	}
}

func put(file string, content []byte) error { return os.WriteFile(file, content, 0o644) }

// scan writes an SPDX document of the files below root, as an in-toto statement (BuildKit, "SBOM scanning protocol").
func scan(root, to string) error {
	var files []map[string]any
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		files = append(files, map[string]any{
			"fileName": strings.TrimPrefix(path, root), "SPDXID": fmt.Sprintf("SPDXRef-File-%d", len(files)),
			"checksums": []map[string]string{{"algorithm": "SHA256", "checksumValue": fmt.Sprintf("%x", sha256.Sum256(raw))}},
		})
		return err
	})
	if err != nil {
		return err
	}
	raw, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
		"predicate": map[string]any{
			"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "sbom",
			"documentNamespace": "https://example.com/sbom", "files": files,
			"creationInfo": map[string]any{"created": "2026-03-04T05:06:07Z", "creators": []string{"Tool: step"}},
		},
	})
	if err != nil {
		return err
	}
	return put(filepath.Join(to, "sbom.spdx.json"), raw)
}
