package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

const (
	maxRounds   = 3 // of the retry budget for one blob, as long as each moved bytes
	maxRestarts = 1 // after the registry says that a blob which we checked is not what we said
)

// PushBlob uploads a blob unless it is there: HEAD, mount, or POST + PATCH + PUT. sent is the number of bytes uploaded.
//
// Concurrent calls for one digest share one upload. The content is hashed while it streams: if it is not what the
// descriptor claims, the upload is cancelled and never committed. An upload that was broken off begins anew, after a
// look whether it arrived.
func (c *Client) PushBlob(ctx context.Context, b Blob) (sent int64, err error) {
	ref := "@" + b.Digest.String()
	if err := ociref.CheckHash(b.Digest); err != nil {
		return 0, c.p.wrap("push blob", "", err)
	}
	if b.Size < 0 {
		return 0, c.p.wrap("push blob", ref, fmt.Errorf("its size is %d", b.Size))
	}
	sent, err = c.p.blobs.do(ctx, b.Digest, func() (int64, error) {
		u := &upload{c: c.p, blob: b}
		err := u.run(ctx)
		return u.sent, err
	})
	return sent, c.p.wrap("push blob", ref, err)
}

// upload is the push of one blob.
type upload struct {
	c              *client
	blob           Blob
	check          uploadCheck
	mountRefused   bool     // mounting was refused
	digestRefusals int      // commits refused for their digest
	session        *url.URL // which the next attempt uses; nil: it begins one
	tried          bool     // an attempt was made
	release        func()   // gives back the slots for layers; nil: none are held
	sent           int64
}

// run brings the blob without its content where that is possible, else uploads it. It gives an upload that moved bytes
// and was then broken off the whole budget again: a budget of two minutes is no measure for a layer that takes five.
func (u *upload) run(ctx context.Context) error {
	if there, err := u.withoutContent(ctx); there || err != nil {
		return err
	}
	defer u.releaseSlots() // a context that has ended lets no attempt begin
	for round := 1; ; round++ {
		// Waiting for other layers is no part of the budget.
		if err := u.acquireSlots(ctx); err != nil {
			return err
		}
		_, before, _ := u.check.get()
		err := u.c.retry(ctx, u.attempt)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrBytes) {
			return err
		}
		if whole, _, _ := u.check.get(); whole { // the last commit may have been the one that arrived
			if there, _ := u.c.hasBlob(ctx, u.blob.Digest); there {
				u.sent = u.blob.Size
				return nil
			}
		}
		if round == maxRounds {
			return err
		}
		_, after, _ := u.check.get()
		var exhausted *retry.Exhausted
		if !errors.As(err, &exhausted) || after-before < u.blob.Size/4 || after == before {
			return err
		}
	}
}

// slotsNeeded are those of layers: an upload, and the download that it reads.
func (u *upload) slotsNeeded() int64 {
	if u.blob.Remote {
		return 2
	}
	return 1
}

// acquireSlots takes the slots for layers. A session does not wait for them: registries forget it.
func (u *upload) acquireSlots(ctx context.Context) (err error) {
	if u.release != nil {
		return nil
	}
	layers, n := u.c.slots.layers, u.slotsNeeded()
	if u.session != nil {
		if layers.TryAcquire(n) {
			u.release = func() { layers.Release(n) }
			return nil
		}
		u.c.cancel(ctx, u.session)
		u.session = nil
	}
	u.release, err = acquire(ctx, layers, n)
	return err
}

// releaseSlots gives the slots back, so that a wait between two attempts holds none.
func (u *upload) releaseSlots() {
	if u.release != nil {
		u.release()
		u.release = nil
	}
}

// attempt sends the content. After an attempt that failed it begins with a look: a commit may not have been answered.
func (u *upload) attempt(ctx context.Context) error {
	if err := u.acquireSlots(ctx); err != nil {
		return err
	}
	defer u.releaseSlots()
	if u.tried {
		there, err := u.c.hasBlob(ctx, u.blob.Digest)
		if err != nil {
			return err
		}
		if there {
			if whole, _, _ := u.check.get(); whole { // by our own commit, whose answer was lost
				u.sent = u.blob.Size
			}
			return nil
		}
	}
	u.tried = true
	location, err := u.session, error(nil)
	if u.session = nil; location == nil {
		location, err = u.begin(ctx, "")
	}
	if err != nil {
		return err
	}
	if u.blob.Size > 0 {
		if location, err = u.stream(ctx, location); err != nil {
			return err
		}
	} else if err := u.checkEmpty(ctx); err != nil {
		u.c.cancel(ctx, location)
		return err
	}
	if err := u.commit(ctx, location); err != nil {
		return err
	}
	u.sent = u.blob.Size
	return nil
}

// stream sends the content in one PATCH.
func (u *upload) stream(ctx context.Context, location *url.URL) (*url.URL, error) {
	resp, err := u.c.send(ctx, request{
		method: http.MethodPatch,
		url:    location,
		header: http.Header{"Content-Type": {"application/octet-stream"}},
		body:   func() (io.ReadCloser, error) { return newContent(nested(ctx), u.blob, &u.check), nil },
		size:   u.blob.Size,
		remote: u.blob.Remote,
	})
	whole, _, bad := u.check.get()
	if bad != nil { // of the source, whatever the registry made of it
		if err == nil {
			drain(resp)
		}
		u.c.cancel(ctx, location)
		return nil, bad
	}
	if err != nil {
		return nil, err
	}
	if err := retry.CheckStatus(resp, http.StatusAccepted, http.StatusCreated, http.StatusNoContent); err != nil {
		return nil, retrySession(err)
	}
	drain(resp)
	if !whole {
		u.c.cancel(ctx, location)
		return nil, retry.Transient(errors.New("the registry answered before it had all of the blob"), 0)
	}
	return u.c.endpoint.resolveLocation(resp.Request.URL, resp.Header.Get("Location"))
}

// commit ends the session. Its query is kept as it is: registries sign it.
func (u *upload) commit(ctx context.Context, location *url.URL) error {
	end := *location
	if end.RawQuery != "" {
		end.RawQuery += "&"
	}
	end.RawQuery += "digest=" + url.QueryEscape(u.blob.Digest.String())
	resp, err := u.c.send(ctx, request{method: http.MethodPut, url: &end, header: http.Header{"Content-Type": {"application/octet-stream"}}})
	if err != nil {
		return err
	}
	if err := retry.CheckStatus(resp, http.StatusCreated, http.StatusOK, http.StatusAccepted, http.StatusNoContent); err != nil {
		if hasCode(err, "DIGEST_INVALID", "SIZE_INVALID") {
			// The content was checked on its way out: it was changed on the way in, or the registry is wrong.
			if u.digestRefusals++; u.digestRefusals <= maxRestarts {
				return retry.Transient(err, 0)
			}
			return err
		}
		return retrySession(err)
	}
	drain(resp)
	return checkStoredDigest(resp, u.blob.Digest)
}

// checkEmpty checks a blob of no bytes, which needs no PATCH.
func (u *upload) checkEmpty(ctx context.Context) error {
	r := newContent(nested(ctx), u.blob, &u.check) // the upload has the slots of both
	defer r.Close()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		_, _, bad := u.check.get()
		return bad
	}
	return nil
}

// retrySession makes an error transient that a new session heals: the registry forgot the one that it gave out.
func retrySession(err error) error {
	if hasStatus(err, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable) || hasCode(err, "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID") {
		return retry.Transient(err, 0)
	}
	return err
}
