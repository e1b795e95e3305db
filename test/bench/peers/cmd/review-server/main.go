// Command review-server answers every TokenReview as fast as net/http can, so that the client's work is what is
// measured. It does not check signatures. It serves HTTP/1.1 over TLS with the certificate and the key in the two
// files that it is started with. Every other path is answered with 404.
package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"strings"

	"nest-k8s-auth/bench/peers/internal/peer"
)

type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       spec   `json:"spec"`
	Status     status `json:"status"`
}

type spec struct {
	Token     string   `json:"token"`
	Audiences []string `json:"audiences"`
}

type status struct {
	Authenticated bool     `json:"authenticated"`
	User          user     `json:"user"`
	Audiences     []string `json:"audiences"`
}

type user struct {
	Username string   `json:"username"`
	UID      string   `json:"uid"`
	Groups   []string `json:"groups"`
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("expected the files of a certificate and of its key")
	}
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	peer.ServeTLS(http.HandlerFunc(answer), certificate)
}

func answer(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/tokenreviews") {
		http.NotFound(w, r)
		return
	}
	var v review
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		http.Error(w, "expected a TokenReview", http.StatusBadRequest)
		return
	}
	name, namespace, err := subjectOf(v.Spec.Token)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	groups := []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"}
	v.Status = status{true, user{name, "u", groups}, v.Spec.Audiences}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(v)
}

// subjectOf returns the `sub` of a ServiceAccount's JWT, and the namespace in it. The signature is not checked.
func subjectOf(token string) (name, namespace string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", errors.New("expected a JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", "", err
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return "", "", err
	}
	names := strings.Split(claims.Subject, ":")
	if len(names) != 4 {
		return "", "", errors.New("expected the name of a ServiceAccount")
	}
	return claims.Subject, names[2], nil
}
