#!/usr/bin/env bash
# npm run images: both applications, as images that the cluster's nodes have.
# With CLUSTER_IMAGES=built they are only loaded, with CLUSTER_IMAGES=loaded they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."

for service in service1 service2; do
  image=nest-k8s-auth/$service:dev
  case ${CLUSTER_IMAGES:-} in
    loaded) ;;
    built) scripts/cluster.sh load "$image" ;;
    *)
      scripts/cluster.sh build "$image" . "$service"
      scripts/cluster.sh load "$image"
      ;;
  esac
  echo "$image"
done
