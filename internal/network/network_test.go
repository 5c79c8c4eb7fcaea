package network_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/taglast/taglast/internal/network"
)

func TestTransportKeepsNoCookie(t *testing.T) {
	var cookies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "secret"})
	}))
	defer server.Close()
	for _, transport := range []*http.Transport{network.Transport(), network.Transport()} {
		defer transport.CloseIdleConnections()
		for range 2 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if err := resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, cookie := range cookies {
		if cookie != "" {
			t.Errorf("request %d carried the cookie %q", i, cookie)
		}
	}
	if len(cookies) != 4 {
		t.Errorf("%d requests arrived", len(cookies))
	}
}

// Every wait of a transport ends: none of its deadlines is zero, which means none.
func TestTransportHasADeadlineForEachWait(t *testing.T) {
	transport := network.Transport()
	for name, set := range map[string]bool{
		"TLS handshake":  transport.TLSHandshakeTimeout > 0,
		"answer":         transport.ResponseHeaderTimeout > 0,
		"continue":       transport.ExpectContinueTimeout > 0,
		"idle":           transport.IdleConnTimeout > 0,
		"dial":           transport.DialContext != nil,
		"HTTP/2 silence": transport.HTTP2.SendPingTimeout > 0 && transport.HTTP2.PingTimeout > 0,
	} {
		if !set {
			t.Errorf("the transport waits without end: %s", name)
		}
	}
}
