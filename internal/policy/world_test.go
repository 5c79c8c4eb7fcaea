package policy_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	rekorclient "github.com/sigstore/rekor/pkg/generated/client"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/sandbox"
)

// digests of the artifact and of another one.
var (
	digestA = "sha256:" + strings.Repeat("a1", 32)
	digestB = "sha256:" + strings.Repeat("b2", 32)
)

const server = "https://github.com"

// world signs with sigstore-go, so that the policies are tested on bundles that this project did not make.
type world struct {
	*sandbox.World
	t       testing.TB
	trusted *root.TrustedRoot
	keys    sign.Keypair
	token   string // one for all, as the key
}

func newWorld(t testing.TB, id sandbox.Identity) *world {
	t.Helper()
	w, err := sandbox.New(sandbox.Options{Identity: id})
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := root.NewTrustedRootFromJSON(w.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := &world{World: w, t: t, trusted: trusted, keys: keys}
	out.token = out.idToken()
	return out
}

func (w *world) idToken() string {
	w.t.Helper()
	env := w.Env()
	req, err := http.NewRequest(http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=sigstore", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	resp, err := w.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var answer struct{ Value string }
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Value == "" {
		w.t.Fatalf("ID token: %s %v", raw, err)
	}
	return answer.Value
}

// options of sigstore-go for this world.
func (w *world) options() sign.BundleOptions {
	w.t.Helper()
	config, err := root.NewSigningConfigFromJSON(w.SigningConfig())
	if err != nil {
		w.t.Fatal(err)
	}
	log, err := url.Parse(config.RekorLogURLs()[0].URL)
	if err != nil {
		w.t.Fatal(err)
	}
	client := rekorclient.New(httptransport.NewWithClient(log.Host, log.Path+"/", []string{log.Scheme}, &http.Client{Transport: w.World}), strfmt.Default)
	return sign.BundleOptions{
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: config.FulcioCertificateAuthorityURLs()[0].URL, Transport: w.World}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: w.token},
		TimestampAuthorities: []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{
			URL: config.TimestampAuthorityURLs()[0].URL, Transport: w.World,
		})},
		TransparencyLogs: []sign.Transparency{sign.NewRekor(&sign.RekorOptions{BaseURL: log.String(), Version: 1, Client: client.Entries})},
	}
}

// sign makes a bundle over a payload.
func (w *world) sign(payload []byte) *protobundle.Bundle {
	w.t.Helper()
	b, err := sign.Bundle(&sign.DSSEData{Data: payload, PayloadType: "application/vnd.in-toto+json"}, w.keys, w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func encode(t testing.TB, b *protobundle.Bundle) []byte {
	t.Helper()
	raw, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// parsed is a message as a bundle whose bytes came from outside.
func parsed(t testing.TB, message *protobundle.Bundle) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(encode(t, message))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// claims are what the world's ID token says.
func (w *world) claims() identity.Claims {
	i := w.Identity()
	return identity.Claims{
		Issuer: "https://token.actions.githubusercontent.com", Subject: i.Subject, Ref: i.Ref, SHA: i.SHA,
		Repository: i.Repository, RepositoryID: i.RepositoryID, RepositoryOwner: i.RepositoryOwner,
		RepositoryOwnerID: i.RepositoryOwnerID, RepositoryVisibility: i.RepositoryVisibility, EventName: i.EventName,
		Workflow: i.Workflow, WorkflowRef: i.WorkflowRef, WorkflowSHA: i.WorkflowSHA, JobWorkflowRef: i.JobWorkflowRef,
		JobWorkflowSHA: i.JobWorkflowSHA, RunID: i.RunID, RunAttempt: i.RunAttempt, RunnerEnvironment: i.RunnerEnvironment,
	}
}

// object is a JSON object under construction.
type object = map[string]any

// predicate is what an honest job says of itself, in the shape of GitHub's attest action.
func predicate(c identity.Claims) object {
	path, _, _ := strings.Cut(strings.TrimPrefix(c.WorkflowRef, c.Repository+"/"), "@")
	repository := server + "/" + c.Repository
	return object{
		"buildDefinition": object{
			"buildType": "https://actions.github.io/buildtypes/workflow/v1",
			"externalParameters": object{
				"workflow": object{"ref": c.Ref, "repository": repository, "path": path},
			},
			"internalParameters": object{"github": object{
				"event_name": c.EventName, "repository_id": c.RepositoryID,
				"repository_owner_id": c.RepositoryOwnerID, "runner_environment": c.RunnerEnvironment,
			}},
			"resolvedDependencies": []any{object{
				"uri": "git+" + repository + "@" + c.Ref, "digest": object{"gitCommit": c.SHA},
			}},
		},
		"runDetails": object{
			"builder":  object{"id": server + "/" + c.JobWorkflowRef},
			"metadata": object{"invocationId": repository + "/actions/runs/" + c.RunID + "/attempts/" + c.RunAttempt},
		},
	}
}

// statement about digests, all under one name.
func statement(t testing.TB, predicate object, digests ...string) []byte {
	t.Helper()
	var subjects []object
	for _, d := range digests {
		subjects = append(subjects, object{"name": "ghcr.io/acme/app", "digest": object{"sha256": strings.TrimPrefix(d, "sha256:")}})
	}
	raw, err := json.Marshal(object{
		"_type": "https://in-toto.io/Statement/v1", "subject": subjects,
		"predicateType": "https://slsa.dev/provenance/v1", "predicate": predicate,
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// set changes one leaf of an object; every object on the way is copied.
func set(in object, value any, path ...string) object {
	out := maps.Clone(in)
	if len(path) == 1 {
		out[path[0]] = value
		if value == nil {
			delete(out, path[0])
		}
		return out
	}
	if list, ok := in[path[0]].([]any); ok {
		out[path[0]] = []any{set(list[0].(object), value, path[1:]...)}
		return out
	}
	out[path[0]] = set(in[path[0]].(object), value, path[1:]...)
	return out
}

// signed is an honest bundle with the policy that accepts it.
type signed struct {
	w      *world
	bundle *protobundle.Bundle
	exact  policy.Exact
}

func newSigned(t testing.TB, id sandbox.Identity) signed {
	t.Helper()
	w := newWorld(t, id)
	payload := statement(t, predicate(w.claims()), digestA)
	return signed{w: w, bundle: w.sign(payload), exact: policy.Exact{
		Trusted: w.trusted, Requires: everything, Claims: w.claims(), ServerURL: server, Statement: payload, Digest: digestA,
	}}
}
