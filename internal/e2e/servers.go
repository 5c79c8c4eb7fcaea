//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// serve starts a tool and waits for it.
func (s *stack) serve(ctx context.Context, t tool, environ []string, health string, args ...string) ([]*process, error) {
	file, err := t.file()
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, s.dir, t.name, file, environ, nil, args...)
	if err != nil {
		return nil, err
	}
	return []*process{p}, p.healthy(ctx, health)
}

// stackKeys is what the services are started with.
type stackKeys struct {
	ct       *ecdsa.PrivateKey
	ctConfig string // of the one log, but for its tree, which is not known yet
}

// keys makes the certificate authority of Fulcio and the key of the CT log, and their files.
func (s *stack) keys() (stackKeys, error) {
	top, err := newAuthority(pkix.Name{Organization: []string{organization}, CommonName: "sigstore"}, nil)
	if err != nil {
		return stackKeys{}, err
	}
	ca, err := newAuthority(pkix.Name{Organization: []string{organization}, CommonName: "sigstore-intermediate"}, top, x509.ExtKeyUsageCodeSigning)
	if err != nil {
		return stackKeys{}, err
	}
	s.issuing = []*x509.Certificate{ca.cert, top.cert}
	key, err := keyPEM(ca.key)
	if err != nil {
		return stackKeys{}, err
	}
	ctKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return stackKeys{}, err
	}
	for name, content := range map[string][]byte{
		"fulcio.pem": certificatePEM(s.issuing...), "fulcio.key": key, "fulcio-root.pem": certificatePEM(top.cert),
		"fulcio.yaml": []byte(fulcioIdentities),
	} {
		if err := os.WriteFile(s.file(name), content, 0o600); err != nil {
			return stackKeys{}, err
		}
	}
	config, err := s.ctConfig(ctKey)
	return stackKeys{ctKey, config}, err
}

// ctConfig is one log in the text form of CT's LogConfig.
func (s *stack) ctConfig(key *ecdsa.PrivateKey) (string, error) {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", err
	}
	var quoted strings.Builder
	for _, b := range der {
		fmt.Fprintf(&quoted, `\x%02x`, b)
	}
	return fmt.Sprintf(`prefix: "ctlog"
roots_pem_file: %q
ext_key_usages: "CodeSigning"
private_key { [type.googleapis.com/keyspb.PrivateKey] { der: "%s" } }
`, s.file("fulcio-root.pem"), quoted.String()), nil
}

func (s *stack) startCT(ctx context.Context, log string, tree int64) ([]*process, error) {
	config := fmt.Sprintf("config {\nlog_id: %d\n%s}\n", tree, log)
	if err := os.WriteFile(s.file("ct.config"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	return s.serve(ctx, ctTool, nil, "http://127.0.0.1:"+s.ports.ct+"/ctlog/ct/v1/get-sth",
		"--log_config="+s.file("ct.config"), "--log_rpc_server=127.0.0.1:"+s.ports.trillian,
		"--http_endpoint=127.0.0.1:"+s.ports.ct)
}

func (s *stack) startFulcio(ctx context.Context) ([]*process, error) {
	grpc, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	return s.serve(ctx, fulcioTool, s.proxied(), "http://127.0.0.1:"+s.ports.fulcio+"/api/v2/configuration",
		"serve", "--host=127.0.0.1", "--port="+s.ports.fulcio, "--grpc-host=127.0.0.1", "--grpc-port="+grpc, "--metrics-port="+metrics,
		"--legacy-unix-domain-socket="+s.file("fulcio.sock"), "--config-path="+s.file("fulcio.yaml"),
		"--ca=fileca", "--fileca-cert="+s.file("fulcio.pem"), "--fileca-key="+s.file("fulcio.key"), "--fileca-key-passwd=", "--fileca-watch=false",
		"--ct-log-url=http://127.0.0.1:"+s.ports.ct+"/ctlog")
}

// startTimestampAndRekor starts the timestamp authority first: it wants port 2112 for its metrics and dies without,
// where Rekor goes on.
func (s *stack) startTimestampAndRekor(ctx context.Context, tree int64) ([]*process, error) {
	if err := free2112(ctx); err != nil {
		return nil, err
	}
	stamps, err := s.serve(ctx, timestampTool, nil, "http://127.0.0.1:"+s.ports.timestamp+"/ping",
		"serve", "--host=127.0.0.1", "--port="+s.ports.timestamp, "--timestamp-signer=memory", "--disable-ntp-monitoring")
	if err != nil {
		return stamps, err
	}
	rekor, err := s.serve(ctx, rekorTool, nil, "http://127.0.0.1:"+s.ports.rekor+"/api/v1/log",
		"serve", "--rekor_server.address=127.0.0.1", "--rekor_server.hostname=rekor.sigstore.dev", "--host=127.0.0.1", "--port="+s.ports.rekor,
		"--rekor_server.signer=memory", "--enable_retrieve_api=false", "--enabled_api_endpoints=getLogInfo,getPublicKey,getLogProof,createLogEntry,getLogEntryByIndex,getLogEntryByUUID", "--trillian_log_server.address=127.0.0.1",
		"--trillian_log_server.port="+s.ports.trillian, fmt.Sprintf("--trillian_log_server.tlog_id=%d", tree))
	return append(stamps, rekor...), err
}

// free2112 waits while the tests of another checkout have that port.
func free2112(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":2112")
		if err == nil {
			return l.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("port 2112, which the timestamp authority needs, is taken: %w", err)
		case <-tick.C:
		}
	}
}

func (s *stack) startDistribution(ctx context.Context) ([]*process, error) {
	config := fmt.Sprintf(`version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %q}, delete: {enabled: true}}
http: {addr: "127.0.0.1:%s"}
`, s.file("distribution"), s.ports.distribution)
	if err := os.WriteFile(s.file("distribution.yaml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	return s.serve(ctx, distributionTool, []string{"OTEL_TRACES_EXPORTER=none"}, "http://127.0.0.1:"+s.ports.distribution+"/v2/", "serve", s.file("distribution.yaml"))
}

func (s *stack) startOlareg(ctx context.Context) ([]*process, error) {
	return s.serve(ctx, olaregTool, nil, "http://127.0.0.1:"+s.ports.olareg+"/v2/",
		"serve", "-v", "error", "--addr=127.0.0.1", "--port="+s.ports.olareg, "--dir="+s.file("olareg"), "--gc-frequency=-1s", "--api-blob-delete", "--api-delete")
}

// fulcioIdentities accepts no tokens but GitHub's, with the certificate's fields as the public instance makes them
// (Fulcio, "OIDC Token Requirements" and docs/oid-info.md).
const fulcioIdentities = `
oidc-issuers:
  https://token.actions.githubusercontent.com:
    issuer-url: https://token.actions.githubusercontent.com
    client-id: sigstore
    type: ci-provider
    ci-provider: github-workflow
meta-issuers:
  https://token.actions.githubusercontent.com/*:
    client-id: sigstore
    type: ci-provider
    ci-provider: github-workflow
ci-issuer-metadata:
  github-workflow:
    default-template-values: {url: "https://github.com", environment: ""}
    extension-templates:
      github-workflow-trigger: event_name
      github-workflow-sha: sha
      github-workflow-name: workflow
      github-workflow-repository: repository
      github-workflow-ref: ref
      build-signer-uri: "{{ .url }}/{{ .job_workflow_ref }}"
      build-signer-digest: job_workflow_sha
      runner-environment: runner_environment
      source-repository-uri: "{{ .url }}/{{ .repository }}"
      source-repository-digest: sha
      source-repository-ref: ref
      source-repository-identifier: repository_id
      source-repository-owner-uri: "{{ .url }}/{{ .repository_owner }}"
      source-repository-owner-identifier: repository_owner_id
      build-config-uri: "{{ .url }}/{{ .workflow_ref }}"
      build-config-digest: workflow_sha
      build-trigger: event_name
      run-invocation-uri: "{{ .url }}/{{ .repository }}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}"
      source-repository-visibility-at-signing: repository_visibility
      deployment-environment: environment
    subject-alternative-name-template: "{{ .url }}/{{ .job_workflow_ref }}"
`
