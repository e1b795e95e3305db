// Command peer-goidc serves the route behind coreos/go-oidc, which verifies the token of every request, as the
// tutorial's program does with `--mode oidc-discovery`.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"nest-k8s-auth/bench/peers/internal/peer"
)

func main() {
	options := peer.ParseOptions()
	verifier, err := newVerifier(options)
	if err != nil {
		log.Fatal(err)
	}
	peer.Serve(guard(verifier, peer.Route(options.Body)))
}

// newVerifier reads the issuer's metadata. The key set is fetched with the first token, and kept.
func newVerifier(o peer.Options) (*oidc.IDTokenVerifier, error) {
	client, err := clientTrusting(o.CAFile)
	if err != nil {
		return nil, err
	}
	ctx := oidc.ClientContext(context.Background(), client)
	url := o.DiscoveryURL
	if url == "" {
		url = o.Issuer
	} else {
		// The metadata of a cluster is usually read from another address than the issuer's name.
		ctx = oidc.InsecureIssuerURLContext(ctx, o.Issuer)
	}
	provider, err := oidc.NewProvider(ctx, url)
	if err != nil {
		return nil, err
	}
	return provider.Verifier(&oidc.Config{ClientID: o.Audience}), nil
}

func guard(verifier *oidc.IDTokenVerifier, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !isBearer {
			peer.Refuse(w)
			return
		}
		if _, err := verifier.Verify(r.Context(), token); err != nil {
			peer.Refuse(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func clientTrusting(caFile string) (*http.Client, error) {
	if caFile == "" {
		return http.DefaultClient, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}
