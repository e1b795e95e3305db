// Command peer-sidecar forwards authenticated requests to an upstream. It joins the two parts that kube-rbac-proxy
// consists of, the delegating authenticator of k8s.io/apiserver and the reverse proxy of the standard library, and
// nothing else: no TLS for callers and no authorization. It is the lower bound of what such a sidecar costs.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"

	"nest-k8s-auth/bench/peers/internal/delegating"
	"nest-k8s-auth/bench/peers/internal/peer"
)

// Enough for every connection of the load generator: a new upstream connection for each request would be unfair.
const idleUpstreamConnections = 256

func main() {
	options := peer.ParseOptions()
	upstream, err := url.Parse(options.Upstream)
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: idleUpstreamConnections}
	handler, err := delegating.Guard(options, proxy)
	if err != nil {
		log.Fatal(err)
	}
	peer.Serve(handler)
}
