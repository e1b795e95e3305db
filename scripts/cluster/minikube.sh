# shellcheck shell=bash disable=SC2034
# minikube: one virtual machine or container, the control plane's pods are files in it.
name=${CLUSTER_NAME:=minikube}
static_pods=/etc/kubernetes/manifests
options='up:--issuer'

build() { # IMAGE DIRECTORY [TARGET]
  build_with_docker "$@" >&2
}

load() { # IMAGE
  minikube --profile "$name" image load "$1" >&2
}

up() { # [--issuer URL]
  local issuer=()
  if [[ ${1:-} == --issuer ]]; then issuer=(--extra-config "apiserver.service-account-issuer=$2"); fi
  minikube start --profile "$name" --keep-context "${issuer[@]}" >&2
}

down() {
  minikube delete --profile "$name" >&2
  rm -rf "$(private_file '')"
}

kubeconfig() {
  write_private kubeconfig kubectl config view --raw --flatten --minify --context "$name"
}

# The kubelet stops a static pod when its manifest file is removed, and starts it again when the file is restored.
stop_api_server() {
  local file
  file=$(kubeconfig)
  on_node mv "$static_pods/kube-apiserver.yaml" /etc/kubernetes/
  timeout 120 bash -c "while kubectl --kubeconfig '$file' get --raw /livez; do sleep 0.2; done" >/dev/null 2>&1
}

start_api_server() {
  local file
  file=$(kubeconfig)
  on_node mv /etc/kubernetes/kube-apiserver.yaml "$static_pods/"
  wait_until_ready "$file"
}

on_node() { # COMMAND...
  minikube --profile "$name" ssh -- sudo "$@"
}
