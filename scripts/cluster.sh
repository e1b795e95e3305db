#!/usr/bin/env bash
# The one way to what Kubernetes itself does not offer: images for its nodes, clusters for tests, faults in them.
# CLUSTER_PROVIDER (kind unless set) chooses who does it, CLUSTER_NAME which of its clusters.
#
#   cluster.sh can VERB [OPTION]                 exits 0 when the provider has it
#   cluster.sh build IMAGE DIRECTORY [TARGET]    from the Dockerfile of that directory
#   cluster.sh load IMAGE                        so that the nodes have it
#   cluster.sh up [--issuer URL] [--signing-key ecdsa] [--control-plane-only]
#   cluster.sh down
#   cluster.sh kubeconfig                        prints the path of its file
#   cluster.sh signing-key                       prints the path of the private key that signs ServiceAccount tokens
#   cluster.sh stop-api-server | start-api-server
#   cluster.sh rotate-signing-key [--drop-old]   the old key stays valid, unless it is dropped
#   cluster.sh can enforce-network-policies      whether they have an effect; there is nothing to do for it
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
provider=$here/cluster/${CLUSTER_PROVIDER:=kind}.sh
if [[ $CLUSTER_PROVIDER == */* || ! -r $provider ]]; then
  echo "cluster: no provider '$CLUSTER_PROVIDER': there is $(cd "$here/cluster" && echo *.sh | sed 's/\.sh//g')" >&2
  exit 2
fi

build_with_docker() { # IMAGE DIRECTORY [TARGET]
  docker version >/dev/null 2>&1 || { echo 'cluster: Docker is not here, or not running' >&2 && exit 1; }
  docker build --quiet --tag "$1" ${3:+--target "$3"} "$2"
}

# Kubeconfigs and keys open the cluster: nobody else may read them, or put a file of theirs in the place.
private_file() { # NAME
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/nest-k8s-auth/$CLUSTER_PROVIDER-$CLUSTER_NAME
  (umask 077 && mkdir -p "$folder")
  echo "$folder/$1"
}

# Whole at any time, because what it is made of may be what was there before: KUBECONFIG may name it.
write_private() { # NAME COMMAND...
  local file
  file=$(private_file "$1")
  (umask 077 && "${@:2}" >"$file.new")
  mv "$file.new" "$file"
  echo "$file"
}

# The API server of a kubeconfig takes requests again, within two minutes.
wait_until_ready() { # KUBECONFIG
  timeout 120 bash -c "until kubectl --kubeconfig '$1' get --raw /readyz; do sleep 0.2; done" >/dev/null 2>&1
}

# Verbs are the functions of the provider's script (not those that are written with _ here), and `options` lists
# what each takes.
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
