# shellcheck shell=bash disable=SC2034
# Runs Kubernetes as processes on one Linux machine, without Docker, with the program that CLUSTER_HARNESS names.
harness=${CLUSTER_HARNESS:-}
name=(--name "${CLUSTER_NAME:=nest-k8s-auth}")
[[ -n $harness ]] || { echo 'cluster: CLUSTER_HARNESS is not set' >&2 && exit 2; }
[[ -x $harness ]] || { echo "cluster: CLUSTER_HARNESS names no executable program: $harness" >&2 && exit 2; }
options='up:--issuer up:--signing-key up:--control-plane-only up:--audit-log rotate-signing-key:--drop-old'

build() { # IMAGE DIRECTORY [TARGET]
  local base
  # The harness does not pull images, so it builds the Dockerfile's base image first, without the digest.
  base=$(sed -n -E 's/^ARG NODE_IMAGE=([^@]+).*/\1/p' "$2/Dockerfile")
  "$harness" base-image "$base" >&2
  "$harness" build-image "$1" "$2" -- --build-arg "NODE_IMAGE=$base" ${3:+--target "$3"} >&2
}

load() { # IMAGE
  "$harness" load "${name[@]}" "$1"
}

up() { # [OPTION]...
  local arguments=()
  while [[ $# -gt 0 ]]; do
    if [[ $1 == --audit-log ]]; then
      printf '%s\n' 'apiVersion: audit.k8s.io/v1' 'kind: Policy' 'rules: [{ level: Metadata }]' >"$2-policy.yaml"
      arguments+=(--apiserver-arg "--audit-log-path=$2" --apiserver-arg "--audit-policy-file=$2-policy.yaml")
      shift 2
    else
      arguments+=("$1")
      shift
    fi
  done
  "$harness" up "${name[@]}" "${arguments[@]}" >&2
}

down() {
  "$harness" down "${name[@]}" >&2
}

kubeconfig() {
  "$harness" kubeconfig "${name[@]}"
}

signing_key() {
  "$harness" env "${name[@]}" | sed -n 's/^export K8S_TEST_SA_KEY=//p'
}

stop_api_server() {
  "$harness" stop-apiserver "${name[@]}" >&2
}

start_api_server() {
  "$harness" start-apiserver "${name[@]}" >&2
}

rotate_signing_key() { # [--drop-old]
  "$harness" rotate-signing-key "${name[@]}" "$@" >&2
}
