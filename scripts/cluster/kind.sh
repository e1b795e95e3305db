# shellcheck shell=bash disable=SC2034
# kind: nodes are Docker containers, the control plane's pods are files in one of them.
name=${CLUSTER_NAME:=kind}
node=$name-control-plane
static_pods=/etc/kubernetes/manifests
options="up:--issuer"

build() { # IMAGE DIRECTORY [TARGET]
  build_with_docker "$@" >&2
}

load() { # IMAGE
  kind load docker-image --name "$name" "$1" >&2
}

up() { # [--issuer URL]
  local config="{ kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4 }"
  if [[ ${1:-} == --issuer ]]; then
    config=$(
      cat <<EOT
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
kubeadmConfigPatches:
  - |
    kind: ClusterConfiguration
    apiServer:
      extraArgs:
        service-account-issuer: $2
EOT
    )
  fi
  kind create cluster --name "$name" --wait 120s --kubeconfig "$(private_file kubeconfig)" --config - <<<"$config" >&2
}

down() {
  kind delete cluster --name "$name" --kubeconfig "$(private_file kubeconfig)" >&2
  rm -rf "$(private_file '')"
}

kubeconfig() {
  write_private kubeconfig kind get kubeconfig --name "$name"
}

signing_key() {
  docker cp --quiet "$node:/etc/kubernetes/pki/sa.key" "$(private_file sa.key)"
  private_file sa.key
}

# The kubelet stops a static pod when its manifest file is removed, and starts it again when the file is restored.
stop_api_server() {
  docker exec "$node" mv "$static_pods/kube-apiserver.yaml" /etc/kubernetes/
  docker exec "$node" timeout 120 bash -c 'while crictl ps -q --name kube-apiserver | grep -q .; do sleep 0.2; done'
}

start_api_server() {
  docker exec "$node" mv /etc/kubernetes/kube-apiserver.yaml "$static_pods/"
  wait_until_ready "$(kubeconfig)"
}

# kind's network plugin enforces network policies since v0.24.
enforce_network_policies() {
  :
}
