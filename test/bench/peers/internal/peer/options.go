// Package peer holds what every Go program of the bench has in common: flags, the route, and its life cycle.
package peer

import (
	"flag"
	"time"
)

// Options are the flags that every peer accepts. A peer ignores the flags that it has no use for, so that the bench
// can start all of them in the same way.
type Options struct {
	// Issuer is the value of `iss` in good tokens.
	Issuer string
	// DiscoveryURL is where the issuer's metadata is read. Empty: from the issuer itself.
	DiscoveryURL string
	// CAFile is the certificate authority, PEM, of the server behind DiscoveryURL.
	CAFile string
	// Audience is the only audience that is accepted.
	Audience string
	// Kubeconfig is the file with the address and the credentials for TokenReviews.
	Kubeconfig string
	// CacheTTL is how long a verdict of the API server is remembered.
	CacheTTL time.Duration
	// Upstream is the server that a sidecar forwards to.
	Upstream string
	// Body is the answer of the route: JSON, the same as that of the Nest route.
	Body string
}

// ParseOptions reads the flags of the process.
func ParseOptions() Options {
	var o Options
	flag.StringVar(&o.Issuer, "issuer", "", "`iss` of good tokens")
	flag.StringVar(&o.DiscoveryURL, "discovery-url", "", "where the issuer's metadata is read; the issuer if empty")
	flag.StringVar(&o.CAFile, "ca-file", "", "certificate authority of the discovery URL, PEM")
	flag.StringVar(&o.Audience, "audience", "", "the accepted audience")
	flag.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig for TokenReviews")
	flag.DurationVar(&o.CacheTTL, "cache-ttl", 10*time.Minute, "how long a verdict of the API server is remembered")
	flag.StringVar(&o.Upstream, "upstream", "", "the server that a sidecar forwards to")
	flag.StringVar(&o.Body, "body", `{"message":"hello"}`, "what the route answers")
	flag.Parse()
	return o
}
