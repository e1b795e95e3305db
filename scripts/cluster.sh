#!/usr/bin/env bash
# Everything that tests need and the Kubernetes API does not offer: images on nodes, clusters for tests, faults in them.
# CLUSTER_PROVIDER (default: kind) chooses the tool, CLUSTER_NAME the cluster.
#
#   cluster.sh can VERB [OPTION]                 exits with 0 if the provider supports it
#   cluster.sh build IMAGE DIRECTORY [TARGET]    from the Dockerfile of that directory
#   cluster.sh load IMAGE                        makes the image available on the nodes
#   cluster.sh up [--issuer URL] [--signing-key ecdsa] [--control-plane-only] [--audit-log FILE]
#   cluster.sh down
#   cluster.sh kubeconfig                        prints the path of the kubeconfig
#   cluster.sh signing-key                       prints the path of the private key that signs ServiceAccount tokens
#   cluster.sh stop-api-server | start-api-server
#   cluster.sh rotate-signing-key [--drop-old]   the old key stays valid, unless it is dropped
#   cluster.sh can enforce-network-policies      a query only: whether network policies have an effect
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
provider=$here/cluster/${CLUSTER_PROVIDER:=kind}.sh
if [[ $CLUSTER_PROVIDER == */* || ! -r $provider ]]; then
  echo "cluster: no provider '$CLUSTER_PROVIDER', expected one of $(cd "$here/cluster" && echo *.sh | sed 's/\.sh//g')" >&2
  exit 2
fi

build_with_docker() { # IMAGE DIRECTORY [TARGET]
  docker version >/dev/null 2>&1 || { echo 'cluster: Docker is not installed or not running' >&2 && exit 1; }
  docker build --quiet --tag "$1" ${3:+--target "$3"} "$2"
}

# Kubeconfigs and keys give access to the cluster: other users must not be able to read or replace them.
private_file() { # NAME
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/nest-k8s-auth/$CLUSTER_PROVIDER-$CLUSTER_NAME
  (umask 077 && mkdir -p "$folder")
  echo "$folder/$1"
}

# Replaces the file in one step, because the command may read the old file: KUBECONFIG may name it.
write_private() { # NAME COMMAND...
  local file
  file=$(private_file "$1")
  (umask 077 && "${@:2}" >"$file.new")
  mv "$file.new" "$file"
  echo "$file"
}

# Waits up to two minutes until the API server of the kubeconfig accepts requests.
wait_until_ready() { # KUBECONFIG
  timeout 120 bash -c "until kubectl --kubeconfig '$1' get --raw /readyz; do sleep 0.2; done" >/dev/null 2>&1
}

# Each function of the provider's script is a verb, unless its name is given with an underscore. `options` lists the
# options of the verbs.
can() { # VERB [OPTION]
  [[ $1 != *_* ]] && declare -F "${1//-/_}" >/dev/null && [[ $# -eq 1 || " $options " == *" $1:$2 "* ]]
}

options=
# shellcheck source=/dev/null
source "$provider"

verb=${1:-}
if [[ $verb == can ]]; then
  can "${@:2}"
elif [[ -n $verb ]] && can "$verb"; then
  "${verb//-/_}" "${@:2}"
else
  echo "cluster: $CLUSTER_PROVIDER has no '$verb'" >&2
  exit 2
fi
