package peer

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// Route answers every request with the given JSON.
func Route(body string) http.Handler {
	answer := []byte(body)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(answer)
	})
}

// Refuse answers 401 with a small body, as the Nest guards do.
func Refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"message":"Unauthorized","statusCode":401}`)
}

// Serve listens on a free port of the loopback interface and prints one line of JSON with its URL. It returns after
// SIGTERM, after Ctrl-C, and when stdin closes, so that a peer never outlives the bench.
func Serve(handler http.Handler) {
	serve(handler, listen(), "http")
}

// ServeTLS does what Serve does, over TLS and without HTTP/2.
func ServeTLS(handler http.Handler, certificate tls.Certificate) {
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	serve(handler, tls.NewListener(listen(), config), "https")
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func serve(handler http.Handler, listener net.Listener, scheme string) {
	server := &http.Server{Handler: handler}
	done, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	go func() {
		<-done.Done()
		_ = server.Close()
	}()
	ready := map[string]string{"url": scheme + "://" + listener.Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		log.Fatal(err)
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
