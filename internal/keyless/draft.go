package keyless

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	bundlepb "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	commonpb "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	dssepb "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	rekorpb "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/retry"
)

// draft is one bundle before it is complete: the signature, and what the services have answered. It is kept between
// attempts.
type draft struct {
	credential *credential
	statement  []byte
	signature  []byte
	entry      *rekorpb.TransparencyLogEntry
	timestamp  []byte
}

// newDraft signs the statement with the key of c.
func newDraft(c *credential, statement []byte) (draft, error) {
	signature, err := sign(c.key, pae(bundle.PayloadType, statement))
	if err != nil {
		return draft{}, fmt.Errorf("sign the statement: %w", err)
	}
	return draft{credential: c, statement: statement, signature: signature}, nil
}

func (d *draft) payloadHash() [sha256.Size]byte { return sha256.Sum256(d.statement) }

// witness asks log and timestamp authority at the same time, each only if d lacks its answer. A log entry that cannot be
// found again empties d, so that the next attempt signs anew.
func (s *Signer) witness(ctx context.Context, d *draft) error {
	var wait sync.WaitGroup
	var logErr, stampErr error
	entry, stamp := d.entry, d.timestamp
	if entry == nil {
		wait.Go(func() { entry, logErr = s.rekor.addEntry(ctx, d) })
	}
	if stamp == nil && s.tsa.url != "" {
		wait.Go(func() { stamp, stampErr = s.tsa.requestTimestamp(ctx, d.signature) })
	}
	wait.Wait()
	d.entry, d.timestamp = entry, stamp
	if errors.Is(logErr, errUnresolved) {
		*d = draft{}
	}
	return moreSevere(withService("Rekor", logErr), withService("timestamp authority", stampErr))
}

// moreSevere returns the error that decides about another attempt: a permanent one, else the one whose server asks for
// the longer wait.
func moreSevere(a, b error) error {
	if a == nil || b == nil {
		return errors.Join(a, b)
	}
	transient, waitA, _ := retry.Classify(a)
	if !transient {
		return a
	}
	if transient, waitB, _ := retry.Classify(b); !transient || waitB > waitA {
		return b
	}
	return a
}

// bundle assembles the bundle. A verifier's parser must accept it before anything is stored; it is verified by the
// policy once the store has given it back.
func (d *draft) bundle() (*bundle.Bundle, error) {
	material := &bundlepb.VerificationMaterial{
		Content: &bundlepb.VerificationMaterial_Certificate{
			Certificate: &commonpb.X509Certificate{RawBytes: d.credential.leaf.Raw},
		},
		TlogEntries:               []*rekorpb.TransparencyLogEntry{d.entry},
		TimestampVerificationData: &bundlepb.TimestampVerificationData{},
	}
	if d.timestamp != nil {
		material.TimestampVerificationData.Rfc3161Timestamps = []*commonpb.RFC3161SignedTimestamp{{SignedTimestamp: d.timestamp}}
	}
	b, err := bundle.New(&bundlepb.Bundle{
		MediaType:            bundle.MediaType,
		VerificationMaterial: material,
		Content: &bundlepb.Bundle_DsseEnvelope{DsseEnvelope: &dssepb.Envelope{
			Payload: d.statement, PayloadType: bundle.PayloadType,
			Signatures: []*dssepb.Signature{{Sig: d.signature}},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("the services' answers make no valid bundle: %w", err)
	}
	return b, nil
}
