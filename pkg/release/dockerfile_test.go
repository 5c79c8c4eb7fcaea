package release_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/pkg/release"
)

// builds is a release file whose image app, on line 4, has a Dockerfile and further keys of its source on lines from 7.
func builds(keys string) string {
	return "tags: [a]\nrepositories: [ghcr.io/acme/app, docker.io/acme/app]\nimages:\n- name: app\n  source:\n    dockerfile: Dockerfile\n" + keys + "\n"
}

func dockerfile(t *testing.T, file string) release.DockerfileSource {
	t.Helper()
	f, err := release.Parse("taglast.yaml", []byte(file), env("NAME=value", "EMPTY="))
	if err != nil {
		t.Fatal(err)
	}
	return f.Images[0].Source.(release.DockerfileSource)
}

func TestADockerfileWithEveryKey(t *testing.T) {
	got := dockerfile(t, builds(`    context: app
    target: final
    args: {VERSION: 1.10, EMPTY: "", FROM_HERE: , "ON": yes}
    secrets: ["id=token,env=TOKEN"]
    contexts: {conf: ./conf, alpine: "docker-image://alpine:3.23"}
    cache-from: ghcr.io/acme/cache:main
    cache-to: ["type=registry,ref=ghcr.io/acme/cache:main,mode=max"]
    builder: remote
    pull: true
    no-cache-filters: [deps, "build,test"]
    add-hosts: ["db:10.0.0.1", "six=[::1]", "host:host-gateway", "two:10.0.0.1,10.0.0.2", "plain:::1"]
    allow: [network.host, security.insecure, device, device=nvidia.com/gpu]
    network: none
    shm-size: 512m
    ulimit: ["nofile=1024:2048", "core=-1"]
    ssh: [default, "deploy=keys/a,keys/b"]`))
	want := release.DockerfileSource{
		File: "Dockerfile", Context: "app", Target: "final",
		Args: []release.BuildArg{
			{Name: "EMPTY"}, {Name: "FROM_HERE", FromEnvironment: true}, {Name: "ON", Value: "yes"}, {Name: "VERSION", Value: "1.10"},
		},
		Secrets:        []release.Secret{{ID: "token", Env: "TOKEN"}},
		Contexts:       []release.NamedContext{{Name: "alpine", Value: "docker-image://alpine:3.23"}, {Name: "conf", Value: "./conf"}},
		CacheFrom:      []release.Cache{{Kind: "registry", Text: "type=registry,ref=ghcr.io/acme/cache:main", Ref: name.MustParseReference("ghcr.io/acme/cache:main")}},
		CacheTo:        []release.Cache{{Kind: "registry", Text: "type=registry,ref=ghcr.io/acme/cache:main,mode=max", Ref: name.MustParseReference("ghcr.io/acme/cache:main")}},
		Builder:        "remote",
		Pull:           true,
		NoCacheFilters: []string{"deps", "build", "test"},
		AddHosts:       []string{"db:10.0.0.1", "six=[::1]", "host:host-gateway", "two:10.0.0.1,10.0.0.2", "plain:::1"},
		Allow:          []string{"network.host", "security.insecure", "device", "device=nvidia.com/gpu"},
		Network:        "none",
		ShmSize:        "512m",
		Ulimits:        []string{"nofile=1024:2048", "core=-1"},
		SSH:            []string{"default", "deploy=keys/a,keys/b"},
	}
	if diff := cmp.Diff(want, got, parsed); diff != "" {
		t.Error(diff)
	}
}

func TestADockerfileWithDefaults(t *testing.T) {
	want := release.DockerfileSource{File: "Dockerfile"}
	for title, keys := range map[string]string{
		"nothing else":                      "",
		"what is the default":               "    network: default\n    pull: false\n    no-cache: false\n    secrets: []\n    args: {}\n    contexts:\n",
		"what is empty of its placeholders": "    context: ${EMPTY}\n    target: '${NONE:-}'\n    builder: ${EMPTY}\n    shm-size: ${EMPTY}\n    cache-to: ['${EMPTY}']",
	} {
		t.Run(title, func(t *testing.T) {
			if diff := cmp.Diff(want, dockerfile(t, builds(keys)), parsed); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSwitchesOfABuild(t *testing.T) {
	want := release.DockerfileSource{File: "Dockerfile", NoCache: true}
	if diff := cmp.Diff(want, dockerfile(t, builds("    no-cache: true")), parsed); diff != "" {
		t.Error(diff)
	}
	// The builder sets labels before it attests, so that they go with attestations that are kept.
	f, err := release.Parse("taglast.yaml", []byte(builds("  keep-attestations: true\n  labels: {a: b}")), env())
	if err != nil || !f.Images[0].KeepAttestations || f.Images[0].Labels["a"] != "b" {
		t.Errorf("attestations kept beside a label: %v", err)
	}
}

func TestBuildArguments(t *testing.T) {
	for title, tc := range map[string]struct {
		args string
		want []release.BuildArg
	}{
		"nothing is written":              {"{A: }", []release.BuildArg{{Name: "A", FromEnvironment: true}}},
		"a key alone":                     {"{A}", []release.BuildArg{{Name: "A", FromEnvironment: true}}},
		"an empty text in double quotes":  {`{A: ""}`, []release.BuildArg{{Name: "A"}}},
		"an empty text in single quotes":  {"{A: ''}", []release.BuildArg{{Name: "A"}}},
		"a placeholder that is empty":     {"{A: '${EMPTY}'}", []release.BuildArg{{Name: "A"}}},
		"null and ~ are texts":            {"{A: null, B: ~}", []release.BuildArg{{Name: "A", Value: "null"}, {Name: "B", Value: "~"}}},
		"a list":                          {"[B=x=y, A, 'C=']", []release.BuildArg{{Name: "A", FromEnvironment: true}, {Name: "B", Value: "x=y"}, {Name: "C"}}},
		"a block of lines, with a comma":  {"|\n      # one\n      B=1,2\n\n      A", []release.BuildArg{{Name: "A", FromEnvironment: true}, {Name: "B", Value: "1,2"}}},
		"one text":                        {"A=${NAME}", []release.BuildArg{{Name: "A", Value: "value"}}},
		"an anchor is what it stands for": {"{A: &e , B: *e}", []release.BuildArg{{Name: "A", FromEnvironment: true}, {Name: "B", FromEnvironment: true}}},
	} {
		t.Run(title, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, dockerfile(t, builds("    args: "+tc.args)).Args); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	for text, want := range map[string]release.Secret{
		"id=a,env=A":           {ID: "a", Env: "A"},
		"env=A,ID=a":           {ID: "a", Env: "A"},
		"id=a,src=x/y":         {ID: "a", Src: "x/y"},
		"id=a,source=x":        {ID: "a", Src: "x"},
		"type=file,id=a,src=x": {ID: "a", Src: "x"},
		"type=env,id=a,env=A":  {ID: "a", Env: "A"},
		"type=env,id=a,src=A":  {ID: "a", Env: "A"},
		"type=env,id=a":        {ID: "a", Env: "a"},
		"id=NPM_TOKEN":         {ID: "NPM_TOKEN", Env: "NPM_TOKEN"},
		`id=a,"src=x,y"`:       {ID: "a", Src: "x,y"},
	} {
		t.Run(text, func(t *testing.T) {
			if diff := cmp.Diff([]release.Secret{want}, dockerfile(t, builds("    secrets: ['"+text+"']")).Secrets); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCaches(t *testing.T) {
	for text, want := range map[string]release.Cache{
		"acme/cache":                             {Kind: "registry", Text: "type=registry,ref=acme/cache", Ref: name.MustParseReference("acme/cache")},
		"TYPE=registry,ref=localhost:5000/c:1":   {Kind: "registry", Text: "TYPE=registry,ref=localhost:5000/c:1", Ref: name.MustParseReference("localhost:5000/c:1")},
		"type=local,src=cache,dest=cache":        {Kind: "local", Text: "type=local,src=cache,dest=cache"},
		"type=s3,region=eu-west-1,bucket=b":      {Kind: "s3", Text: "type=s3,region=eu-west-1,bucket=b"},
		"type=azblob,account_url=https://a.test": {Kind: "azblob", Text: "type=azblob,account_url=https://a.test"},
	} {
		t.Run(text, func(t *testing.T) {
			got := dockerfile(t, builds("    cache-from: ['"+text+"']\n    cache-to: ['"+text+"']"))
			if diff := cmp.Diff([]release.Cache{want}, got.CacheFrom, parsed); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]release.Cache{want}, got.CacheTo, parsed); diff != "" {
				t.Error(diff)
			}
		})
	}
	inline := dockerfile(t, builds("    cache-to: type=inline")).CacheTo
	if diff := cmp.Diff([]release.Cache{{Kind: "inline", Text: "type=inline"}}, inline, parsed); diff != "" {
		t.Error(diff)
	}
	// What is in a repository of the release may be read.
	if got := dockerfile(t, builds("    cache-from: ghcr.io/acme/app:cache")).CacheFrom; len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestRemoteContext(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, ".": false, "app": false, "./github.com/acme/app": false, "/abs": false, "-x": false, `C:\app`: false, "git@": false,
		"ftp://example.com/x": false, "docker-image://alpine": false, "a/git@github.com:x": false,
		"https://github.com/acme/app.git#main:sub": true, "HTTP://example.com/a.tar.gz": true, "git://example.com/a": true,
		"ssh://git@example.com/a": true, "git@github.com:acme/app.git": true, "github.com/acme/app": true,
	} {
		if got := (release.DockerfileSource{Context: text}).RemoteContext(); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	for _, text := range []string{"git@github.com:acme/app.git#v1", "ssh://git@example.com/acme/app", "github.com/acme/app#main:sub", "https://example.com/a.git?ref=main"} {
		if got := dockerfile(t, builds("    context: '"+text+"'")).Context; got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// A folder may be called as an option is: who builds writes ./ before it.
func TestAPathLikeAnOption(t *testing.T) {
	f, err := release.Parse("taglast.yaml", []byte(image("name: app, source: {dockerfile: --push, context: -x}")), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(release.Source(release.DockerfileSource{File: "--push", Context: "-x"}), f.Images[0].Source, parsed); diff != "" {
		t.Error(diff)
	}
}

func TestContextsOfOtherImages(t *testing.T) {
	const file = `
repositories: ["ghcr.io/acme/{{image}}"]
tags: []
images:
  - {name: app, source: {dockerfile: Dockerfile, contexts: {base: "image:base", tools: "image: ${TOOLS}"}}}
  - {name: base, source: {dockerfile: base/Dockerfile, contexts: ["tools=image:tools"]}}
  - {name: tools, source: {oci: tools.tar}}
`
	f, err := release.Parse("taglast.yaml", []byte(file), env("TOOLS=tools"))
	if err != nil {
		t.Fatal(err)
	}
	want := []release.NamedContext{{Name: "base", Image: "base"}, {Name: "tools", Image: "tools"}}
	if diff := cmp.Diff(want, f.Images[0].Source.(release.DockerfileSource).Contexts); diff != "" {
		t.Error(diff)
	}
}
