// Command peer-none serves the route without authentication.
package main

import "nest-k8s-auth/bench/peers/internal/peer"

func main() {
	peer.Serve(peer.Route(peer.ParseOptions().Body))
}
