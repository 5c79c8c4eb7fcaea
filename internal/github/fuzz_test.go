package github

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/golang/snappy"

	"github.com/taglast/taglast/internal/bundle"
)

const seedBundle = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":"Yw=="}},` +
	`"dsseEnvelope":{"payload":"eyJzdWJqZWN0IjpbeyJkaWdlc3QiOnsic2hhMjU2IjoiYWEifX1dLCJwcmVkaWNhdGVUeXBlIjoieCJ9",` +
	`"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"cw=="}]}}`

func FuzzList(f *testing.F) {
	f.Add([]byte(`{"attestations":[{"repository_id":1,"bundle":` + seedBundle + `,"bundle_url":"https://x/y?sig=z","initiator":"user"}]}`))
	f.Add([]byte(`{"attestations":[{"bundle":null}]}`))
	f.Add([]byte(`{"attestations":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := parseRecords(body)
		if err != nil && records != nil {
			t.Error("records beside an error")
		}
		for _, r := range records {
			if len(r.Bundle) > 0 && !json.Valid(r.Bundle) {
				t.Errorf("bundle %q is not JSON", r.Bundle)
			}
		}
	})
}

func FuzzBlob(f *testing.F) {
	f.Add(snappy.Encode(nil, []byte(seedBundle)))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0})
	f.Fuzz(func(t *testing.T, block []byte) {
		b, err := decodeSnappy(block)
		if err == nil && len(b) > bundle.MaxSize {
			t.Errorf("%d bytes", len(b))
		}
		if again, err := decodeSnappy(snappy.Encode(nil, block)); err != nil || !bytes.Equal(again, block) {
			t.Error("a block is not read back")
		}
	})
}
