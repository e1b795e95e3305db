#!/usr/bin/env bash
# npm run images: both applications, as images that the cluster's nodes have. With CLUSTER_IMAGES=built they are only loaded.
set -euo pipefail
cd "$(dirname "$0")/.."

for service in service1 service2; do
  image=nest-k8s-auth/$service:dev
  if [[ ${CLUSTER_IMAGES:-} != built ]]; then scripts/cluster.sh build "$image" . "$service"; fi
  scripts/cluster.sh load "$image"
  echo "$image"
done
