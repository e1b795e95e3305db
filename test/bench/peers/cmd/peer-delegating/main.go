// Command peer-delegating serves the route behind the delegating authenticator of k8s.io/apiserver.
package main

import (
	"log"

	"nest-k8s-auth/bench/peers/internal/delegating"
	"nest-k8s-auth/bench/peers/internal/peer"
)

func main() {
	options := peer.ParseOptions()
	handler, err := delegating.Guard(options, peer.Route(options.Body))
	if err != nil {
		log.Fatal(err)
	}
	peer.Serve(handler)
}
