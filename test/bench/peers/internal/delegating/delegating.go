// Package delegating authenticates requests as the components of Kubernetes do: by TokenReview, behind the token cache
// of k8s.io/apiserver. It is a package of its own because its dependencies take minutes to compile.
package delegating

import (
	"net/http"
	"time"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/webhook"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	"k8s.io/client-go/tools/clientcmd"

	"nest-k8s-auth/bench/peers/internal/peer"
)

// The client limits and the timeout that k8s.io/apiserver's own DelegatingAuthenticationOptions choose.
const (
	reviewsPerSecond = 200
	reviewBurst      = 400
	reviewTimeout    = 10 * time.Second
)

// Guard lets only requests with an authenticated token through to next.
func Guard(o peer.Options, next http.Handler) (http.Handler, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = reviewsPerSecond
	config.Burst = reviewBurst
	client, err := authentication.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	audiences := authenticator.Audiences{o.Audience}
	requests, _, err := authenticatorfactory.DelegatingAuthenticatorConfig{
		TokenAccessReviewClient:  client,
		TokenAccessReviewTimeout: reviewTimeout,
		WebhookRetryBackoff:      webhook.DefaultRetryBackoff(),
		CacheTTL:                 o.CacheTTL,
		APIAudiences:             audiences,
	}.New()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(authenticator.WithAudiences(r.Context(), audiences))
		// An error and a token that is not authenticated are both refused. The generic API server does the same.
		if _, ok, err := requests.AuthenticateRequest(r); err != nil || !ok {
			peer.Refuse(w)
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}
